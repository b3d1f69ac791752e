import { InvariantError } from '@spillway/kernel';
import { Core } from './core.js';
import { checkAll } from './invariants.js';
import { resolveOptions } from './options.js';
import { SchedulerTask, type TaskState } from './task.js';
import { aTask, aWorkerHello } from './testing/index.js';
import { ClientView } from './client-view.js';
import { WorkerView } from './worker-view.js';
import { addWant } from './wants.js';

/** A core with one wanted task, put into a state by hand. */
function coreWith(state: TaskState): { core: Core; task: SchedulerTask; worker: WorkerView } {
  const core = new Core(resolveOptions({}));
  const worker = new WorkerView(aWorkerHello('w'), 1, core.options);
  core.roster.add(worker);
  const client = new ClientView('c' as never);
  core.clients.set(client.id, client);
  const spec = aTask('x');
  const task = new SchedulerTask(spec.key, spec, undefined, 1, 0);
  core.table.add(task);
  addWant(core, client, task);
  core.agenda.next();
  core.table.enter(task, state, core.stimulusId, 0);
  return { core, task, worker };
}

test('a task that erred contradicts nothing', () => {
  const { core } = coreWith({
    name: 'erred',
    error: { code: 'X', message: '', details: {} },
    dependentsError: undefined,
  });
  expect(() => checkAll(core)).not.toThrow();
});

test.each([
  ['a result nobody holds', { name: 'memory', nbytes: 1, whoHas: undefined }],
  ['a task that waits for nothing', { name: 'waiting', missingCount: 0 }],
  ['a miscounted wait', { name: 'waiting', missingCount: 2 }],
  ['a needed task that is released', { name: 'released' }],
  ['a task without a worker while there is one', { name: 'no-worker', sinceMs: 0, isConfined: false }],
] as const)('%s is found out', (_what, state) => {
  const { core } = coreWith(state);
  expect(() => checkAll(core)).toThrow(InvariantError);
});

test('an error in the count of dependents, in a worker sum, and in a relation is found out', () => {
  const erred = {
    name: 'erred',
    error: { code: 'X', message: '', details: {} },
    dependentsError: undefined,
  } as const;
  const first = coreWith(erred);
  first.task.waiterCount = 1;
  expect(() => checkAll(first.core)).toThrow(/active dependents/);

  const second = coreWith(erred);
  second.worker.heldBytes = 1;
  expect(() => checkAll(second.core)).toThrow(/adds up what it holds/);

  const third = coreWith(erred);
  third.core.clients.get('c' as never)?.wants.clear();
  expect(() => checkAll(third.core)).toThrow(/is wanted by c, which knows/);
});
