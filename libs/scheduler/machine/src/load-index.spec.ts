import { asRunId } from '@spillway/kernel';
import { LoadIndex } from './load-index.js';
import { resolveOptions } from './options.js';
import { SchedulerTask } from './task.js';
import { aTask, aWorkerHello } from './testing/index.js';
import { WorkerView } from './worker-view.js';

const aView = (id: string, nthreads = 1): WorkerView =>
  new WorkerView(aWorkerHello(id, { nthreads }), 1, resolveOptions({}));

function load(index: LoadIndex, worker: WorkerView, count: number): void {
  for (let n = 0; n < count; n += 1) {
    const spec = aTask(`${worker.id}-${n}`);
    worker.processing.set(asRunId(n), new SchedulerTask(spec.key, spec, undefined, 1, n));
  }
  index.update(worker);
}

test('the least loaded worker is the one with fewest assigned tasks a thread', () => {
  const index = new LoadIndex();
  const [small, large, idle] = [aView('small'), aView('large', 4), aView('idle', 2)];
  load(index, small, 1);
  load(index, large, 3);
  load(index, idle, 0);

  expect(index.leastLoaded(3)).toEqual([idle, large, small]);
  expect(index.leastLoaded(1)).toEqual([idle]);
});

test('under memory pressure a worker comes after its equals, and before workers without a free slot', () => {
  const index = new LoadIndex();
  const [tight, equal, busy] = [aView('tight'), aView('equal'), aView('busy')];
  tight.isUnderPressure = true;
  load(index, tight, 0);
  load(index, busy, 1);
  load(index, equal, 0);

  expect(index.leastLoaded(3)).toEqual([equal, tight, busy]);
  expect(index.size).toBe(3);
});

test('busy workers under memory pressure, which put roots off, hide none that has a free slot', () => {
  const index = new LoadIndex();
  const tight = Array.from({ length: 4 }, (_, n) => aView(`tight-${n}`, 3));
  const free = aView('free', 2);
  for (const worker of tight) {
    worker.isUnderPressure = true;
    load(index, worker, 1);
  }
  load(index, free, 1);

  expect(index.leastLoaded(1)).toEqual([free]);
});

test('a busy worker under memory pressure that has a free slot is hidden by none without', () => {
  const index = new LoadIndex();
  const tight = aView('tight', 3);
  tight.isUnderPressure = true;
  const full = Array.from({ length: 4 }, (_, n) => aView(`full-${n}`, 2));
  for (const worker of full) load(index, worker, 2);
  load(index, tight, 1);

  expect(index.leastLoaded(1)).toEqual([tight]);
});

test('a worker that does not run is not offered, and one that was removed is gone', () => {
  const index = new LoadIndex();
  const workers = ['a', 'b', 'c'].map((id) => aView(id));
  for (const worker of workers) index.update(worker);
  const [a, b, c] = workers as [WorkerView, WorkerView, WorkerView];
  a.status = 'paused';
  index.update(a);
  index.remove(b);
  index.remove(b);

  expect(index.leastLoaded(9)).toEqual([c]);

  a.status = 'running';
  index.update(a);
  expect(new Set(index.leastLoaded(9))).toEqual(new Set([a, c]));
});

test('however overloaded, a running worker is found', () => {
  const index = new LoadIndex();
  const worker = aView('w');
  load(index, worker, 500);

  expect(index.leastLoaded(1)).toEqual([worker]);
});
