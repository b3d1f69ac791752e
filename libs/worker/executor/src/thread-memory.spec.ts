/** What threads say of their memory, and how they are made to collect it. */
import { must } from '@spillway/kernel';
import type { Timers } from '@spillway/ports';
import { makeThreadMemory } from './shared-memory.js';
import { ThreadReadings } from './thread-readings.js';
import { HeapReport } from './thread-side/heap-report.js';
import { closeRigs, CELL, Gate, inputsAsArguments, Rig } from './testing/executor-rig.js';

afterEach(closeRigs);

/** Threads of user code yield to all else on the machine. */
jest.setTimeout(30_000);

const MiB = 1024 * 1024;
/** Text for task code: leaves some 8 MB of objects behind, which nothing refers to. */
const MAKE_GARBAGE = 'let made = Array.from({ length: 200_000 }, (_, id) => ({ id })); made = undefined;';
const USED = "require('node:v8').getHeapStatistics().used_heap_size";

describe('the report of a heap', () => {
  const aReport = (): { report: HeapReport; readings: ThreadReadings; due: (() => void)[] } => {
    const due: (() => void)[] = [];
    const timers: Timers = {
      after: (_delayMs, call) => (due.push(call), { cancel: () => undefined }),
      every: () => ({ cancel: () => undefined }),
      soon: () => undefined,
    };
    const readings = new ThreadReadings(makeThreadMemory());
    return { report: new HeapReport(readings, timers), readings, due };
  };

  test('is made at the end of a task, but not of each', () => {
    const { report, readings } = aReport();
    report.runEnded(1000);
    expect(readings.heapUnusedBytes).toBeGreaterThan(0);
    readings.heapUnusedBytes = -1;
    report.runEnded(1049);
    expect(readings.heapUnusedBytes).toBe(-1);
    report.runEnded(1050);
    expect(readings.heapUnusedBytes).toBeGreaterThan(0);
  });

  test('is made up for when no task follows, once', () => {
    const { report, readings, due } = aReport();
    report.runEnded(1000);
    report.idle();
    expect(due).toHaveLength(0);
    readings.heapUnusedBytes = -1;
    report.runEnded(1001);
    report.idle();
    report.idle();
    expect(due).toHaveLength(1);
    due[0]?.();
    expect(readings.heapUnusedBytes).toBeGreaterThan(0);
  });
});

test('a thread says what its heap has committed and does not use', async () => {
  const rig = await Rig.start();
  await rig.value('() => 1');
  expect(rig.executor.heapUnusedBytes).toBeGreaterThan(0);
  expect(rig.executor.heapUnusedBytes).toBeLessThan(100 * MiB);
});

test('what a collection leaves is known when it has run', async () => {
  const rig = await Rig.start();
  await rig.value('() => void (globalThis.kept = Array.from({ length: 200_000 }, (_, id) => ({ id })))');
  await rig.value('() => void (globalThis.kept = undefined)');

  await rig.executor.collectGarbage();

  const usedBytes = (await rig.value(`() => ${USED}`)) as number;
  expect(usedBytes).toBeLessThan(30 * MiB);
  expect(rig.executor.heapUnusedBytes).toBeLessThan(60 * MiB);
});

test('threads of functions outside of slots count, and collect, too', async () => {
  const rig = await Rig.start();
  await rig.executor.collectGarbage();
  const withoutBytes = rig.executor.heapUnusedBytes;
  await rig.aside('() => void (globalThis.ref = new WeakRef(new ArrayBuffer(8)))');

  await rig.executor.collectGarbage();

  expect(rig.executor.heapUnusedBytes).toBeGreaterThan(withoutBytes);
  const outcome = await rig.aside('() => globalThis.ref.deref() === undefined');
  expect(outcome).toMatchObject({ type: 'run-success' });
  expect(must(outcome.type === 'run-success' ? outcome.result : undefined, 'result').data[1]).toBe(2);
});

test('threads that have ended count nothing', async () => {
  const rig = await Rig.start();
  await rig.value('() => 1');
  await rig.executor.collectGarbage();
  expect(rig.executor.heapUnusedBytes).toBeGreaterThan(0);
  await rig.executor.close();
  expect(rig.executor.heapUnusedBytes).toBe(0);
});

test.each([
  ['computes', 'while (Atomics.load(flag, 0) === 1);'],
  ['waits', 'Atomics.wait(flag, 0, 1);'],
])(
  'a thread whose task %s without end is collected from outside, and the task goes on',
  async (_does, hold) => {
    const rig = await Rig.start();
    const gate = new Gate();
    const busy = rig.hand(
      `(gate) => { ${CELL} ${MAKE_GARBAGE} const flag = cell(gate); const before = ${USED}; Atomics.store(flag, 0, 1); ${hold} return before - ${USED}; }`,
      { inputs: [gate.payload], args: inputsAsArguments(1), resultEncoding: 'json' },
    );
    await gate.reached();

    await Promise.all([rig.executor.collectGarbage(), rig.executor.collectGarbage()]);
    expect(gate.value).toBe(1);

    gate.open();
    const outcome = await busy.outcome;
    const text = outcome.type === 'execute-success' ? new TextDecoder().decode(outcome.result.data) : '0';
    expect(Number(text)).toBeGreaterThan(4 * MiB);
  },
);

test('a thread that ends has nothing left to collect', async () => {
  const rig = await Rig.start();
  const gate = new Gate();
  const native = rig.hand(
    `(gate) => { ${CELL} Atomics.store(cell(gate), 0, 1); require('node:child_process').spawnSync('sleep', ['1']); }`,
    { inputs: [gate.payload], args: inputsAsArguments(1) },
  );
  await gate.reached();
  const collected = rig.executor.collectGarbage();
  native.stop('out-of-memory');
  await expect(collected).resolves.toBeUndefined();
  await expect(native.outcome).resolves.toMatchObject({ type: 'execute-stopped' });
});

test('whoever asks while the executor closes is answered', async () => {
  const rig = await Rig.start({ slotCount: 2 });
  const collected = rig.executor.collectGarbage();
  await rig.executor.close();
  await expect(collected).resolves.toBeUndefined();
  await expect(rig.executor.collectGarbage()).resolves.toBeUndefined();
  await expect(rig.executor.dropCachedCopies()).resolves.toBeUndefined();
});
