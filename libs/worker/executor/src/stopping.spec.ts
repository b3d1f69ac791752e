/** Stopping runs: what has not started is skipped, what has is asked to stop and then loses its thread. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { closeRigs, Gate, HOLD, inputsAsArguments, Rig, SPIN } from './testing/executor-rig.js';

afterEach(closeRigs);

const gated = (gate: Gate): { inputs: Gate['payload'][]; args: ReturnType<typeof inputsAsArguments> } => ({
  inputs: [gate.payload],
  args: inputsAsArguments(1),
});

test('cancelling an endless synchronous loop frees its slot and leaves the other slot alone', async () => {
  const rig = await Rig.start({ slotCount: 2 });
  const [spinning, holding] = [new Gate(), new Gate()];
  const endless = rig.hand(SPIN, { slot: 0, ...gated(spinning) });
  const neighbour = rig.hand(HOLD, { slot: 1, ...gated(holding) });
  await Promise.all([spinning.reached(), holding.reached()]);

  endless.stop('cancelled');

  await expect(endless.outcome).resolves.toMatchObject({
    type: 'execute-stopped',
    reason: 'cancelled',
    started: true,
  });
  await expect(rig.value('() => "fresh thread"', { slot: 0 })).resolves.toBe('fresh thread');
  holding.open();
  await expect(neighbour.outcome).resolves.toMatchObject({ type: 'execute-success' });
  expect(rig.stuck).toEqual([]);
});

test('the reason of the stop is the reason of the outcome', async () => {
  const rig = await Rig.start();
  for (const reason of ['cancelled', 'timeout', 'out-of-memory'] as const) {
    const gate = new Gate();
    const endless = rig.hand(SPIN, gated(gate));
    await gate.reached();
    endless.stop(reason);
    await expect(endless.outcome).resolves.toMatchObject({ type: 'execute-stopped', reason, started: true });
  }
});

test('a run behind another is dropped without having started, and the one before it goes on', async () => {
  const rig = await Rig.start();
  const [gate, never] = [new Gate(), new Gate()];
  const first = rig.hand(HOLD, gated(gate));
  const second = rig.hand(SPIN, gated(never));
  const third = rig.hand('() => 3');
  await gate.reached();

  second.stop('timeout');

  await expect(second.outcome).resolves.toMatchObject({
    type: 'execute-stopped',
    reason: 'timeout',
    started: false,
  });
  gate.open();
  await expect(first.outcome).resolves.toMatchObject({ type: 'execute-success' });
  await expect(third.outcome).resolves.toMatchObject({ type: 'execute-success' });
  expect(never.value).toBe(0);
});

test('a run stopped in the turn it was handed over in never reaches the thread', async () => {
  const rig = await Rig.start();
  const gate = new Gate();
  const run = rig.hand(SPIN, gated(gate));

  run.stop('cancelled');

  await expect(run.outcome).resolves.toMatchObject({
    type: 'execute-stopped',
    reason: 'cancelled',
    started: false,
  });
  await expect(rig.value('() => 1')).resolves.toBe(1);
  expect(gate.value).toBe(0);
});

test('runs behind an ended one are told to have lost their thread before their turn', async () => {
  const rig = await Rig.start();
  const gate = new Gate();
  const endless = rig.hand(SPIN, gated(gate));
  const behind = [rig.hand('() => 1'), rig.hand('() => 2')];
  await gate.reached();

  endless.stop('timeout');

  for (const { outcome } of behind) {
    await expect(outcome).resolves.toMatchObject({
      type: 'execute-stopped',
      reason: 'thread-ended',
      started: false,
    });
  }
  await expect(endless.outcome).resolves.toMatchObject({ reason: 'timeout', started: true });
});

test('a result that was finished before the thread ended is not lost', async () => {
  const rig = await Rig.start();
  const gate = new Gate();
  await rig.value('() => 0');
  const short = rig.hand('() => "kept"');
  const large = rig.hand('() => new Uint8Array(100_000)');
  const endless = rig.hand(SPIN, gated(gate));
  await gate.reached();

  endless.stop('out-of-memory');

  await expect(short.outcome).resolves.toMatchObject({ type: 'execute-success' });
  await expect(large.outcome).resolves.toMatchObject({ type: 'execute-success' });
  await expect(endless.outcome).resolves.toMatchObject({ type: 'execute-stopped', reason: 'out-of-memory' });
});

describe('an asynchronous task', () => {
  const WAITING = (body: string): string => `async (gate) => {
    const signal = globalThis[Symbol.for('spillway.currentTask')].getStore().signal;
    Atomics.store(new Int32Array(gate.buffer, gate.byteOffset, 1), 0, 1);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    ${body}
  }`;

  test('that heeds its signal by throwing has stopped, and keeps its thread', async () => {
    const rig = await Rig.start();
    const gate = new Gate();
    const threadOf = '() => process.pid + ":" + require("node:worker_threads").threadId';
    const before = await rig.value(threadOf);
    const run = rig.hand(WAITING('throw signal.reason;'), gated(gate));
    await gate.reached();

    run.stop('timeout');

    await expect(run.outcome).resolves.toMatchObject({
      type: 'execute-stopped',
      reason: 'timeout',
      started: true,
    });
    await expect(rig.value(threadOf)).resolves.toBe(before);
  });

  test('that heeds its signal by returning has succeeded', async () => {
    const rig = await Rig.start();
    const gate = new Gate();
    const run = rig.hand(WAITING('return "partial:" + signal.reason.name;'), gated(gate));
    await gate.reached();

    run.stop('timeout');

    await expect(run.outcome).resolves.toMatchObject({ type: 'execute-success' });
  });

  test('that ignores its signal loses its thread', async () => {
    const rig = await Rig.start();
    const gate = new Gate();
    const run = rig.hand(WAITING('await new Promise(() => {});'), gated(gate));
    await gate.reached();

    run.stop('cancelled');

    await expect(run.outcome).resolves.toMatchObject({
      type: 'execute-stopped',
      reason: 'cancelled',
      started: true,
    });
  });
});

test('stopping an unknown or finished run, or the same one twice, does nothing more', async () => {
  const rig = await Rig.start();
  const done = rig.hand('() => 1');
  await done.outcome;
  done.stop();
  const gate = new Gate();
  const endless = rig.hand(SPIN, gated(gate));
  await gate.reached();

  endless.stop('timeout');
  endless.stop('cancelled');

  await expect(endless.outcome).resolves.toMatchObject({ reason: 'timeout' });
  await expect(rig.value('() => 2')).resolves.toBe(2);
  expect(rig.outcomes).toHaveLength(3);
});

test('a native call that outlives the grace is reported stuck once, and its outcome once', async () => {
  const rig = await Rig.start({ cancelGraceMs: 50, abortGraceMs: 1 });
  const marker = join(rig.folder, 'in-the-call');
  const native = rig.hand(
    "(marker) => require('node:child_process').execSync('touch ' + marker + '; sleep 1')",
    {
      key: 'native',
      args: [marker],
    },
  );
  while (!existsSync(marker)) await new Promise((resolve) => setImmediate(resolve));

  native.stop('cancelled');

  await expect(native.outcome).resolves.toMatchObject({
    type: 'execute-stopped',
    reason: 'cancelled',
    started: true,
  });
  await expect(rig.value('() => "the slot goes on"')).resolves.toBe('the slot goes on');
  expect(rig.stuck).toMatchObject([{ slot: 0, key: 'native' }]);
  expect(rig.outcomes.filter(({ key }) => key === 'native')).toHaveLength(1);
});

test('closing does not wait for a native call beyond the grace, and says that its thread lives', async () => {
  const rig = await Rig.start({ cancelGraceMs: 20 });
  const marker = join(rig.folder, 'in-the-call');
  const text = "(marker) => require('node:child_process').execSync('touch ' + marker + '; sleep 2')";
  const native = rig.hand(text, { args: [marker] });
  while (!existsSync(marker)) await new Promise((resolve) => setImmediate(resolve));

  await rig.executor.close();

  expect(rig.executor.hasThread).toBe(true);
  await expect(native.outcome).resolves.toMatchObject({ type: 'execute-stopped', reason: 'thread-ended' });
});

test('after closing no thread lives', async () => {
  const rig = await Rig.start();
  await rig.value('() => 1');
  expect(rig.executor.hasThread).toBe(true);
  await rig.executor.close();
  expect(rig.executor.hasThread).toBe(false);
});
