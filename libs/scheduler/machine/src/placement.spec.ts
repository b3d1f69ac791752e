import { asRunId } from '@spillway/kernel';
import { resolveOptions } from './options.js';
import { chooseWorker, missingBytes, startsEarlierOn, transferMs } from './placement.js';
import { addReplica } from './replicas.js';
import { SchedulerTask } from './task.js';
import { aTask, aWorkerHello, type WorkerDraft } from './testing/index.js';
import { WorkerView } from './worker-view.js';

const POLICY = { bandwidthBytesPerSecond: 100e6 };
let order = 0;
let runCount = 0;

const aView = (id: string, draft: WorkerDraft = {}): WorkerView =>
  new WorkerView(aWorkerHello(id, draft), (order += 1), resolveOptions({}));

function data(nbytes: number, ...holders: WorkerView[]): SchedulerTask {
  const spec = aTask(`d${nbytes}`);
  const task = new SchedulerTask(spec.key, spec, undefined, 1, 0);
  task.state = { name: 'memory', nbytes, whoHas: undefined };
  for (const worker of holders) addReplica(task, worker);
  return task;
}

function taskOf(...inputs: SchedulerTask[]): SchedulerTask {
  const spec = aTask('t');
  const task = new SchedulerTask(spec.key, spec, undefined, 1, 0);
  task.dependencies = inputs;
  return task;
}

function occupy(worker: WorkerView, ms: number): void {
  const task = taskOf();
  const runId = asRunId((runCount += 1));
  worker.assign(task, { name: 'processing', worker, runId, expectedMs: ms, expectedBytes: 0 });
}

test('a task goes to the worker that holds most of its inputs', () => {
  const [a, b] = [aView('a'), aView('b')];
  const task = taskOf(data(1e6, a), data(50e6, b));

  expect(chooseWorker(task, [a], undefined, POLICY)).toEqual({ worker: b, atHome: true });
});

test('it goes elsewhere when waiting for its holder takes longer than fetching', () => {
  const [holder, idle] = [aView('holder'), aView('idle')];
  const task = taskOf(data(10e6, holder)); // 100 ms to fetch
  occupy(holder, 90);
  expect(chooseWorker(task, [idle], undefined, POLICY)?.worker).toBe(holder);

  occupy(holder, 90);
  expect(chooseWorker(task, [idle], undefined, POLICY)).toEqual({ worker: idle, atHome: false });
});

test('ties go to more headroom, then to fewer assigned, then to the worker that has been there longest', () => {
  const [first, second] = [aView('first', { nthreads: 4 }), aView('second', { nthreads: 4 })];
  expect(chooseWorker(taskOf(), [second, first], undefined, POLICY)?.worker).toBe(first);

  occupy(first, 1);
  expect(chooseWorker(taskOf(), [first, second], undefined, POLICY)?.worker).toBe(second);

  data(5, second);
  expect(chooseWorker(taskOf(), [first, second], undefined, POLICY)?.worker).toBe(first);
});

test('between equals the one that is not under pressure is chosen, whatever its headroom', () => {
  const [tight, roomy] = [aView('tight', { nthreads: 2 }), aView('roomy', { nthreads: 2 })];
  data(5, roomy);
  tight.isUnderPressure = true;

  expect(chooseWorker(taskOf(), [tight, roomy], undefined, POLICY)?.worker).toBe(roomy);
});

test('a worker under pressure that has something to do is no place for a root, and is one for a task with inputs', () => {
  const [tight, busy] = [aView('tight', { nthreads: 2 }), aView('busy')];
  tight.isUnderPressure = true;
  occupy(tight, 10);
  occupy(busy, 1_000);

  expect(chooseWorker(taskOf(), [tight, busy], undefined, POLICY)?.worker).toBe(busy);
  expect(chooseWorker(taskOf(data(10, tight)), [tight, busy], undefined, POLICY)?.worker).toBe(tight);
});

test('workers that do not run, and holders that are not allowed, are not chosen', () => {
  const [holder, other] = [aView('holder'), aView('other')];
  const task = taskOf(data(50e6, holder));
  expect(chooseWorker(task, [other], [other], POLICY)?.worker).toBe(other);

  other.status = 'paused';
  expect(chooseWorker(task, [other], [other], POLICY)).toBeUndefined();
  expect(chooseWorker(taskOf(), [], undefined, POLICY)).toBeUndefined();
});

test('a task is taken from its home when it starts earlier here, or when its home does not run', () => {
  const [home, idle] = [aView('home'), aView('idle')];
  const task = taskOf(data(10e6, home));
  occupy(home, 90);
  expect(startsEarlierOn(idle, task, home, POLICY)).toBe(false);

  occupy(home, 90);
  expect(startsEarlierOn(idle, task, home, POLICY)).toBe(true);

  const paused = aView('paused');
  paused.status = 'paused';
  expect(startsEarlierOn(idle, taskOf(data(1e12, paused)), paused, POLICY)).toBe(true);
});

test('of very many inputs a sample is looked at, and stands for the rest', () => {
  const [a, b] = [aView('a'), aView('b')];
  const inputs = Array.from({ length: 10_000 }, () => data(1_000, a));

  expect(missingBytes(taskOf(...inputs), b)).toBeCloseTo(10e6);
  expect(missingBytes(taskOf(...inputs), a)).toBe(0);
});

test('nothing takes no time to fetch, and anything at all a latency', () => {
  expect(transferMs(0, POLICY)).toBe(0);
  expect(transferMs(100e6, POLICY)).toBeCloseTo(1001);
});
