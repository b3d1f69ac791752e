import { asRunId } from '@spillway/kernel';
import { resolveOptions } from './options.js';
import { SchedulerTask, type ProcessingState } from './task.js';
import { aTask, aWorkerHello, type WorkerDraft } from './testing/index.js';
import { WorkerView } from './worker-view.js';

const aView = (draft: WorkerDraft = {}): WorkerView =>
  new WorkerView(aWorkerHello('w', draft), 1, resolveOptions({ prefetchMs: 10, prefetchCountMax: 4 }));

let runCount = 0;
function assign(worker: WorkerView, expectedMs: number, expectedBytes = 0): [SchedulerTask, ProcessingState] {
  runCount += 1;
  const spec = aTask(`t${runCount}`);
  const task = new SchedulerTask(spec.key, spec, undefined, 1, 0);
  const runId = asRunId(runCount);
  const run: ProcessingState = { name: 'processing', worker, runId, expectedMs, expectedBytes };
  worker.assign(task, run);
  return [task, run];
}

test('a free slot takes any task, and a busy worker only short ones, up to the prefetch', () => {
  const worker = aView();
  expect(worker.hasRoom(500)).toBe(true);

  assign(worker, 4);
  expect(worker.hasRoom(500)).toBe(false);
  expect(worker.hasRoom(4)).toBe(true);

  assign(worker, 4);
  expect(worker.hasRoom(4)).toBe(true);
  assign(worker, 4);
  expect(worker.hasRoom(4)).toBe(false);
});

test('prefetch is bounded by count, however short the tasks are', () => {
  const worker = aView({ nthreads: 2 });
  for (let n = 0; n < 6; n += 1) assign(worker, 0);

  expect(worker.hasRoom(0)).toBe(false);
});

test('nothing is put behind a long task, because what was handed over does not come back', () => {
  const worker = aView();
  assign(worker, 5_000);

  expect(worker.hasRoom(0.1)).toBe(false);
});

test('results that are expected to take much are not ordered ahead, however short the tasks are', () => {
  const worker = aView({ memoryLimitBytes: 1_600 });
  expect(worker.hasRoomForBytes(1e6)).toBe(true);

  const [, run] = assign(worker, 1, 60);
  expect([worker.hasRoomForBytes(40), worker.hasRoomForBytes(41)]).toEqual([true, false]);

  worker.unassign(run);
  expect(worker.hasRoomForBytes(1e6)).toBe(true);
  const unlimited = aView();
  assign(unlimited, 1, 1e12);
  expect(unlimited.hasRoomForBytes(1e12)).toBe(true);
});

test('under memory pressure only free slots count, however short the tasks are', () => {
  const worker = aView({ nthreads: 2 });
  worker.isUnderPressure = true;
  assign(worker, 1);
  expect(worker.hasRoom(1)).toBe(true);

  assign(worker, 1);
  expect(worker.hasRoom(1)).toBe(false);
});

test('a slot whose task takes longer than expected stops flowing', () => {
  const worker = aView();
  const [, run] = assign(worker, 1);
  expect(worker.hasRoom(1)).toBe(true);

  worker.reprice(run, 60_000);

  expect(worker.hasRoom(1)).toBe(false);
  expect(worker.slotWaitMs).toBe(60_000);
});

test('a worker that is not running has no room, and no end to its wait', () => {
  const worker = aView();
  worker.status = 'paused';

  expect([worker.hasRoom(0), worker.hasFreeSlot, worker.slotWaitMs]).toEqual([false, false, Infinity]);
});

test('the wait for a slot is the backlog divided by the threads, and none while a slot is free', () => {
  const worker = aView({ nthreads: 2 });
  const [, run] = assign(worker, 100);
  expect(worker.slotWaitMs).toBe(0);

  assign(worker, 300);
  expect(worker.slotWaitMs).toBe(200);

  worker.unassign(run);
  expect(worker.slotWaitMs).toBe(0);
});

test('headroom is what is left of the limit, and without one whoever holds less has more', () => {
  const limited = aView({ memoryLimitBytes: 1_000 });
  limited.heldBytes = 300;
  expect(limited.headroomBytes).toBe(700);

  const [empty, full] = [aView(), aView()];
  full.heldBytes = 1;
  expect(empty.headroomBytes).toBeGreaterThan(full.headroomBytes);
});
