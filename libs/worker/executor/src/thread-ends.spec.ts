/** Threads that end by themselves: the running task is told why, the others run elsewhere, the slot goes on. */
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { closeRigs, Gate, HOLD, inputsAsArguments, Rig } from './testing/executor-rig.js';

afterEach(closeRigs);

test('process.exit() in a task ends only its thread, and is an error of that task', async () => {
  const rig = await Rig.start();
  const exiting = rig.hand('() => process.exit(3)', { key: 'leaver' });
  const behind = rig.hand('() => 1');

  await expect(exiting.outcome).resolves.toMatchObject({
    type: 'execute-failure',
    mayRetry: false,
    error: {
      code: 'TASK_EXITED',
      message: expect.stringContaining('leaver') as string,
      details: { exitCode: '3' },
    },
  });
  await expect(behind.outcome).resolves.toMatchObject({
    type: 'execute-stopped',
    reason: 'thread-ended',
    started: false,
  });
  await expect(rig.value('() => 2')).resolves.toBe(2);
});

test('process.exit() of an asynchronous task, with code 0, is noticed too', async () => {
  const rig = await Rig.start();
  await expect(
    rig.run('async () => { await null; setImmediate(() => process.exit(0)); await new Promise(() => {}); }'),
  ).resolves.toMatchObject({ error: { code: 'TASK_EXITED', details: { exitCode: '0' } } });
});

test('a task that fills the heap of its thread is ended with the numbers, and the slot goes on', async () => {
  const rig = await Rig.start({ heapMaxBytes: 48 * 1024 * 1024, slotCount: 2 });
  const gate = new Gate();
  const neighbour = rig.hand(HOLD, { slot: 1, inputs: [gate.payload], args: inputsAsArguments(1) });
  await gate.reached();

  const outcome = await rig.run(
    '() => { const kept = []; for (;;) kept.push({ a: kept.length, b: [1, 2, 3] }); }',
  );

  expect(outcome).toMatchObject({
    type: 'execute-failure',
    mayRetry: false,
    error: { code: 'TASK_OUT_OF_MEMORY', message: expect.stringContaining('48 MiB') as string },
  });
  await expect(rig.value('() => 2')).resolves.toBe(2);
  gate.open();
  await expect(neighbour.outcome).resolves.toMatchObject({ type: 'execute-success' });
});

test('the heap cap is the thread own, whatever the options of the process say', async () => {
  const before = process.env['NODE_OPTIONS'];
  process.env['NODE_OPTIONS'] = '--max-old-space-size=4000';
  try {
    const rig = await Rig.start({ heapMaxBytes: 64 * 1024 * 1024 });
    const heap = await rig.value(
      '() => [require("node:v8").getHeapStatistics().heap_size_limit / 1024 / 1024, process.env.NODE_OPTIONS]',
    );
    expect((heap as number[])[0]).toBeLessThan(200);
    expect((heap as unknown[])[1]).toBeUndefined();
  } finally {
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
  }
});

test('an error thrown outside of its call fails the task that runs, which may be tried again', async () => {
  const rig = await Rig.start();

  const outcome = await rig.run(
    'async () => { setImmediate(() => { throw new RangeError("stray"); }); await new Promise(() => {}); }',
    { key: 'careless' },
  );

  expect(outcome).toMatchObject({
    type: 'execute-failure',
    mayRetry: true,
    error: { code: 'TASK_FAILED', message: expect.stringContaining('RangeError: stray') as string },
  });
  await expect(rig.value('() => 2')).resolves.toBe(2);
});

test('a rejected promise that nobody awaits fails the task that runs', async () => {
  const rig = await Rig.start();
  await expect(
    rig.run('async () => { void Promise.reject(new Error("unseen")); await new Promise(() => {}); }'),
  ).resolves.toMatchObject({
    type: 'execute-failure',
    error: { code: 'TASK_FAILED', message: expect.stringContaining('unseen') as string },
  });
});

test('an error that a finished task left behind names that task', async () => {
  const rig = await Rig.start();
  const left = rig.upload(`
    let fire;
    exports.leave = () => { setImmediate(function wait() { fire ? fire() : setImmediate(wait); }); };
    exports.trigger = async () => { fire = () => { throw new Error('late'); }; await new Promise(() => {}); };`);
  await rig.value({ ...left, exportName: 'leave' }, { key: 'culprit' });

  const outcome = await rig.run({ ...left, exportName: 'trigger' }, { key: 'victim' });

  expect(outcome).toMatchObject({
    key: 'victim',
    error: { message: expect.stringMatching(/victim.*culprit.*late/u) as string },
  });
});

test('a thread that dies between tasks is replaced and leaves a line in the log', async () => {
  const rig = await Rig.start();
  const gate = new Gate();
  await rig.value(
    `(gate) => { setImmediate(() => {
      Atomics.store(new Int32Array(gate.buffer, gate.byteOffset, 1), 0, 1);
      throw new Error('nobody runs');
    }); }`,
    { inputs: [gate.payload], args: inputsAsArguments(1) },
  );
  await gate.reached();
  while (rig.lines.length === 0) await new Promise((resolve) => setImmediate(resolve));

  expect(rig.lines).toMatchObject([
    { level: 'warn', text: expect.stringContaining('nobody runs') as string },
  ]);
  await expect(rig.value('() => 2')).resolves.toBe(2);
});

test('when the thread program cannot start, runs fail with the reason instead of waiting for ever', async () => {
  const rig = await Rig.start({ entry: pathToFileURL(join(__dirname, 'no-such-thread.mjs')) });

  for (let attempt = 0; attempt < 2; attempt += 1) {
    await expect(rig.run('() => 1')).resolves.toMatchObject({
      type: 'execute-failure',
      error: { code: 'UNAVAILABLE', message: expect.stringContaining('no-such-thread') as string },
    });
  }
});

test('when Node cannot make a thread at all, runs fail with the reason too', async () => {
  const rig = await Rig.start({ entry: new URL('https://localhost/thread.mjs') });

  await expect(rig.run('() => 1')).resolves.toMatchObject({
    type: 'execute-failure',
    mayRetry: true,
    error: { code: 'UNAVAILABLE' },
  });
  expect(rig.lines[0]).toMatchObject({ level: 'error' });
});

test('user code that closes or floods its parent port breaks nothing', async () => {
  const rig = await Rig.start();
  await rig.value(`() => {
    const { parentPort, workerData } = require('node:worker_threads');
    parentPort.postMessage({ type: 'success', seq: 0 });
    parentPort.close();
    if (Object.keys(workerData).length > 0) throw new Error('the setup is in sight');
  }`);
  await expect(rig.value('() => 2')).resolves.toBe(2);
  expect(rig.outcomes).toHaveLength(2);
});
