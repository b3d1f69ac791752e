import { asWorkerId } from '@spillway/kernel';
import type { SchedulerInstruction } from './instructions.js';
import { aScheduler, aTask, aVerdict, toClient, toWorker, type TestScheduler } from './testing/index.js';

function cluster(...workers: string[]): TestScheduler {
  const scheduler = aScheduler();
  scheduler.connect('c');
  for (const worker of workers) scheduler.register(worker);
  return scheduler;
}

test('what a new worker brings along counts when it is needed, and is freed when it is not', () => {
  const scheduler = cluster('w1');
  scheduler.submit('c', [aTask('running'), aTask('queued'), aTask('done')]);
  scheduler.finish('running');
  scheduler.finish('queued');
  scheduler.finish('done');
  scheduler.submit('c', [aTask('now'), aTask('next')]);

  const instructions = scheduler.register('w2', { holdings: { done: 100, now: 5, next: 5, unknown: 1 } });

  expect(toWorker(instructions, 'w1')).toMatchObject([{ type: 'cancel-task', key: 'now' }]);
  expect(toWorker(instructions, 'w2')).toMatchObject([{ type: 'free-keys', keys: ['unknown'] }]);
  expect(toClient(instructions, 'c').map((each) => each.type)).toEqual(['key-in-memory', 'key-in-memory']);
  expect(scheduler.machine.describe(aTask('done').key).whoHas.map((holder) => holder.workerId)).toEqual([
    'w1',
    'w2',
  ]);
});

test('a worker whose session was lost gives its runs back uncharged, and only what it brings is its own', () => {
  const scheduler = aScheduler({ allowedFailures: 0 });
  scheduler.connect('c');
  scheduler.register('w1', { nthreads: 2 });
  scheduler.submit('c', [aTask('kept'), aTask('gone'), aTask('void'), aTask('finished')]);
  scheduler.finish('kept');
  scheduler.finish('gone');

  const instructions = scheduler.register('w1', { nthreads: 1, holdings: { kept: 100, finished: 100 } });

  expect(toClient(instructions, 'c')).toMatchObject([
    { type: 'key-in-memory', key: 'finished' },
    { type: 'key-lost', key: 'gone' },
  ]);
  expect(toWorker(instructions, 'w1')).toMatchObject([{ type: 'compute-task', spec: { key: 'gone' } }]);
  expect(scheduler.stateOf('void')).toBe('queued');
  expect(scheduler.machine.listWorkers()).toMatchObject([{ nthreads: 1, keyCount: 2, processingCount: 1 }]);
});

const endedBy = (instructions: readonly SchedulerInstruction[]): string[] =>
  instructions.flatMap((each) => (each.type === 'end-worker-session' ? [each.workerId] : []));

test('a second worker of a name takes the place of the first, which has to end in case it lives', () => {
  const scheduler = cluster('w.1');
  scheduler.submit('c', [aTask('x')]);
  const instructions = scheduler.register('w.2', { name: 'w.1' });

  expect(endedBy(instructions)).toEqual(['w.1']);
  expect(scheduler.machine.listWorkers().map((worker) => worker.workerId)).toEqual(['w.2']);
  expect(scheduler.runOf('x').workerId).toBe('w.2');
  expect(scheduler.machine.findWorker('w.1')?.workerId).toBe('w.2');
});

test('a worker that was replaced does not come back and replace its successor', () => {
  const scheduler = cluster('w.1');
  scheduler.register('w.2', { name: 'w.1' });

  expect(endedBy(scheduler.register('w.1', { holdings: { x: 1 } }))).toEqual(['w.1']);

  expect(scheduler.machine.listWorkers().map((worker) => worker.workerId)).toEqual(['w.2']);
});

test('a worker whose death is known before its hello arrives cannot register, and its successor is left alone', () => {
  const scheduler = aScheduler();
  scheduler.lose('w.1', { verdict: aVerdict('w.1') });
  scheduler.register('w.2', { name: 'twin' });

  expect(endedBy(scheduler.register('w.1', { name: 'twin' }))).toEqual(['w.1']);

  expect(scheduler.machine.listWorkers().map((worker) => worker.workerId)).toEqual(['w.2']);
});

test('a worker that was only out of reach may register again', () => {
  const scheduler = cluster('w.1');
  scheduler.lose('w.1');

  expect(endedBy(scheduler.register('w.1'))).toEqual([]);

  expect(scheduler.machine.knowsWorker(asWorkerId('w.1'))).toBe(true);
});

test('of the workers that ended the last 10,000 are remembered', () => {
  const scheduler = aScheduler({ validate: false });
  for (let life = 0; life <= 10_000; life += 1)
    scheduler.lose(`w.${life}`, { verdict: aVerdict(`w.${life}`) });

  expect(endedBy(scheduler.register('w.1'))).toEqual(['w.1']);
  expect(endedBy(scheduler.register('w.0'))).toEqual([]);
});

test('a restricted task runs where it may, by name or by id, and nowhere else', () => {
  const scheduler = cluster('other');
  scheduler.submit('c', [aTask('byName', { workers: ['north'] }), aTask('byId', { workers: ['id7'] })]);
  expect([scheduler.stateOf('byName'), scheduler.stateOf('byId')]).toEqual(['no-worker', 'no-worker']);

  scheduler.register('id7', { name: 'north', nthreads: 2 });

  expect(scheduler.runs.map((run) => run.workerId)).toEqual(['id7', 'id7']);
});

test('a restricted task that is queued also goes to another of its workers when that one comes', () => {
  const scheduler = cluster('w1');
  scheduler.submit('c', [aTask('a', { workers: ['w1', 'w2'] }), aTask('b', { workers: ['w1', 'w2'] })]);
  expect(scheduler.stateOf('b')).toBe('queued');

  scheduler.register('w2');

  expect(scheduler.runOf('b').workerId).toBe('w2');
});

test('a task that allows others goes back to its own workers as soon as one is there', () => {
  const scheduler = cluster('other');
  const draft = { workers: ['own'], allowOtherWorkers: true };
  scheduler.submit('c', [aTask('a', draft), aTask('b', draft)]);
  expect(scheduler.runOf('a').workerId).toBe('other');

  scheduler.register('own');
  scheduler.finish('a');

  expect(scheduler.runOf('b').workerId).toBe('own');
});
