import { aScheduler, aTask, toClient, toWorker, type TestScheduler } from './testing/index.js';

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

test('a second worker of a name takes the place of the first, which must be dead', () => {
  const scheduler = cluster('w.1');
  scheduler.submit('c', [aTask('x')]);
  scheduler.register('w.2', { name: 'w.1' });

  expect(scheduler.machine.listWorkers().map((worker) => worker.workerId)).toEqual(['w.2']);
  expect(scheduler.runOf('x').workerId).toBe('w.2');
  expect(scheduler.machine.findWorker('w.1')?.workerId).toBe('w.2');
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
