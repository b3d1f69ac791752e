import { InvariantError } from '@spillway/kernel';
import { resolveOptions } from './options.js';
import { addReplica, holdersOf, holdsReplica, removeReplica, replicaCount } from './replicas.js';
import { SchedulerTask } from './task.js';
import { aTask, aWorkerHello } from './testing/index.js';
import { WorkerView } from './worker-view.js';

const aView = (id: string): WorkerView => new WorkerView(aWorkerHello(id), 1, resolveOptions({}));

function inMemory(nbytes: number): SchedulerTask {
  const spec = aTask('x');
  const task = new SchedulerTask(spec.key, spec, undefined, 1, 0);
  task.state = { name: 'memory', nbytes, whoHas: undefined };
  return task;
}

test('a replica is seen from both ends, and counted once however often it is added or removed', () => {
  const [task, a, b] = [inMemory(100), aView('a'), aView('b')];
  for (const worker of [a, b, a]) addReplica(task, worker);

  expect(replicaCount(task)).toBe(2);
  expect(holdersOf(task, 9)).toEqual([a.holder, b.holder]);
  expect(holdersOf(task, 1)).toEqual([a.holder]);
  expect([a.hasWhat.has(task), a.heldBytes]).toEqual([true, 100]);

  for (const worker of [a, a]) removeReplica(task, worker);

  expect([holdsReplica(task, a), holdsReplica(task, b)]).toEqual([false, true]);
  expect([a.hasWhat.size, a.heldBytes]).toEqual([0, 0]);
});

test('only what is in memory has replicas', () => {
  const [task, worker] = [inMemory(1), aView('a')];
  task.state = { name: 'released' };

  expect(() => addReplica(task, worker)).toThrow(InvariantError);
  expect([replicaCount(task), holdersOf(task, 9), holdsReplica(task, worker)]).toEqual([0, [], false]);
});
