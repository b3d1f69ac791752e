/** Functions outside of slots (`client.run`). */
import { decodeValue, encodeValue } from '@spillway/values';
import type { RunOutcome } from '@spillway/messages';
import { closeRigs, Gate, inputsAsArguments, Rig, SPIN } from './testing/executor-rig.js';

afterEach(closeRigs);

function valueOf(outcome: RunOutcome): unknown {
  if (outcome.type === 'run-success') return decodeValue(outcome.result);
  throw new Error(`expected a result, not ${outcome.error.message}`);
}

test('a function runs although all slots are busy, and its result is encoded for any JavaScript client', async () => {
  const rig = await Rig.start();
  const gate = new Gate();
  const busy = rig.hand(SPIN, { inputs: [gate.payload], args: inputsAsArguments(1) });
  await gate.reached();

  const outcome = await rig.aside('(a) => new Map([[a, new Date(0)]])', ['x']);

  expect(outcome).toMatchObject({ type: 'run-success', result: { encoding: 'v8' } });
  expect(valueOf(outcome)).toEqual(new Map([['x', new Date(0)]]));
  busy.stop();
  await busy.outcome;
});

test('a result is encoded as the arguments were, so that a client in any language can read it', async () => {
  const rig = await Rig.start();
  const ref = rig.upload('exports.run = (a, b) => a + b;');
  const args = encodeValue([20, 1], { encoding: 'json' });
  const outcome = await rig.executor.runAside({ function: ref, args, timeoutMs: false });
  expect(outcome).toMatchObject({ type: 'run-success', result: { encoding: 'json' } });
  expect(valueOf(outcome)).toBe(21);
});

test('two functions at once run beside each other, one after the other in the same thread', async () => {
  const rig = await Rig.start();
  const threadId = "() => require('node:worker_threads').threadId";
  // Each waits for a sign of life of the other, which never comes if one waits for the other to end.
  const meeting = `async (mine, other) => {
    const { writeFileSync, existsSync } = require('node:fs');
    writeFileSync(mine, '');
    while (!existsSync(other)) await new Promise((resolve) => setImmediate(resolve));
    return 'met';
  }`;
  const [a, b] = [`${rig.folder}/a`, `${rig.folder}/b`];

  const outcomes = await Promise.all([rig.aside(meeting, [a, b]), rig.aside(meeting, [b, a])]);

  expect(outcomes.map(valueOf)).toEqual(['met', 'met']);
  const first = valueOf(await rig.aside(threadId));
  expect(valueOf(await rig.aside(threadId))).toBe(first);
});

test('more functions than threads wait for their turn', async () => {
  const rig = await Rig.start();
  const outcomes = await Promise.all(
    Array.from({ length: 10 }, (_, x) => rig.aside('async (x) => x * x', [x])),
  );
  expect(outcomes.map(valueOf)).toEqual(Array.from({ length: 10 }, (_, x) => x * x));
});

test('a function that runs too long is ended, and the next one runs', async () => {
  const rig = await Rig.start();
  await expect(rig.aside('() => { while (true) {} }', [], 50)).resolves.toMatchObject({
    type: 'run-failure',
    error: { code: 'TASK_TIMEOUT', message: expect.stringContaining('50 ms') as string },
  });
  expect(valueOf(await rig.aside('() => 1'))).toBe(1);
});

test('what it throws, and a function that does not exist, are answers', async () => {
  const rig = await Rig.start();
  await expect(rig.aside('() => { throw new TypeError("no"); }')).resolves.toMatchObject({
    type: 'run-failure',
    error: { code: 'TASK_FAILED', message: expect.stringContaining('TypeError: no') as string },
  });
  await expect(rig.aside({ kind: 'preinstalled', module: 'none', exportName: 'x' })).resolves.toMatchObject({
    type: 'run-failure',
    error: { code: 'FUNCTION_NOT_FOUND' },
  });
  await expect(rig.aside('() => process.exit(1)')).resolves.toMatchObject({
    type: 'run-failure',
    error: { code: 'TASK_EXITED' },
  });
  expect(rig.outcomes).toEqual([]);
});

test('closing answers what is under way and what waits', async () => {
  const rig = await Rig.start();
  const spinning = Array.from({ length: 6 }, () => rig.aside('() => { while (true) {} }'));
  await rig.executor.close();
  for (const outcome of spinning) {
    await expect(outcome).resolves.toMatchObject({ type: 'run-failure', error: { code: 'UNAVAILABLE' } });
  }
  await expect(rig.aside('() => 1')).resolves.toMatchObject({ error: { code: 'UNAVAILABLE' } });
});
