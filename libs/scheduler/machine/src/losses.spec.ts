import { aScheduler, aTask, toClient, toWorker, type TestScheduler } from './testing/index.js';

function cluster(options: Parameters<typeof aScheduler>[0] = {}, ...workers: string[]): TestScheduler {
  const scheduler = aScheduler(options);
  scheduler.connect('c');
  for (const worker of workers) scheduler.register(worker);
  return scheduler;
}

const deathsOf = (instructions: ReturnType<TestScheduler['lose']>): string[] =>
  instructions.flatMap((each) =>
    each.type === 'log-event' && each.event === 'task.suspicious' ? [...(each.keys ?? [])] : [],
  );

test('a result that is gone is made again, with as much of what it was made from as is needed', () => {
  const scheduler = cluster({}, 'w1');
  scheduler.submit('c', [aTask('a'), aTask('b', { dependencies: ['a'] }), aTask('kept')], ['b', 'kept']);
  scheduler.finish('a');
  scheduler.finish('b');
  scheduler.finish('kept');
  scheduler.register('w2');
  scheduler.addReplica('w2', 'kept');

  const told = toClient(scheduler.lose('w1'), 'c');

  expect(told).toEqual([{ type: 'key-lost', key: 'b' }]);
  expect([scheduler.stateOf('a'), scheduler.stateOf('b'), scheduler.stateOf('kept')]).toEqual([
    'processing',
    'waiting',
    'memory',
  ]);
});

test('what was reported as executing is charged with a death, and what stood behind it is not', () => {
  const scheduler = cluster({ prefetchMs: 1_000 }, 'w1');
  scheduler.submit('c', [aTask('learn')]);
  scheduler.finish('learn', { durationMs: 1 });
  scheduler.submit('c', [aTask('a'), aTask('b'), aTask('d')]);
  scheduler.heartbeat('w1', { b: 5 });

  expect(deathsOf(scheduler.lose('w1'))).toEqual(['b']);
});

test('without a heartbeat since, the oldest runs are charged, as many as there were slots', () => {
  const scheduler = cluster({ prefetchMs: 1_000 });
  scheduler.register('w1', { nthreads: 2 });
  scheduler.submit('c', [aTask('learn')]);
  scheduler.finish('learn', { durationMs: 1 });
  scheduler.submit('c', [aTask('a'), aTask('b'), aTask('d')]);

  expect(deathsOf(scheduler.lose('w1'))).toEqual(['a', 'b']);
});

test('the fourth death of a worker under a task errs it, with the whole history', () => {
  const scheduler = cluster();
  scheduler.submit('c', [aTask('x')]);
  for (const worker of ['w1', 'w2', 'w3']) {
    scheduler.register(worker);
    scheduler.lose(worker);
    expect(scheduler.stateOf('x')).toBe('queued');
  }
  scheduler.register('w4');
  expect(scheduler.runs.length).toBe(4);

  expect(toClient(scheduler.lose('w4'), 'c')).toMatchObject([
    {
      type: 'key-erred',
      error: { code: 'KILLED_WORKER', details: { key: 'x', deaths: '4', workers: 'w1, w2, w3, w4' } },
    },
  ]);
});

test('a worker that leaves on purpose charges nobody', () => {
  const scheduler = cluster({ allowedFailures: 0 }, 'w1');
  scheduler.submit('c', [aTask('x')]);

  expect(deathsOf(scheduler.lose('w1', { onPurpose: true }))).toEqual([]);
  expect(scheduler.stateOf('x')).toBe('queued');
});

test('peers hear that a worker is gone', () => {
  const scheduler = cluster({}, 'w1', 'w2');
  expect(toWorker(scheduler.lose('w1'), 'w2')).toMatchObject([{ type: 'peer-lost', workerId: 'w1' }]);
  expect(scheduler.lose('w1')).toEqual([]);
});

test('scattered data that is gone errs exactly what depends on it and has not ended', () => {
  const scheduler = cluster({}, 'w1', 'w2');
  scheduler.scatter('c', 'd', 10, 'w1');
  scheduler.submit('c', [aTask('done', { dependencies: ['d'] })]);
  scheduler.finish('done');
  scheduler.addReplica('w2', 'done');
  scheduler.submit('c', [aTask('half', { dependencies: ['d'] }), aTask('other')]);

  scheduler.lose('w1');

  const states = ['d', 'done', 'half', 'other'].map((key) => scheduler.stateOf(key));
  expect(states).toEqual(['erred', 'memory', 'erred', 'processing']);
  expect(toClient(scheduler.desire('c', 'd'), 'c')).toMatchObject([{ error: { code: 'LOST_DATA' } }]);
});

test('with recompute: false, a lost result is an error, and so is a run that may have begun', () => {
  const scheduler = cluster({}, 'w1');
  scheduler.submit('c', [aTask('done', { recompute: false }), aTask('begun', { recompute: false })]);
  scheduler.finish('done');

  const told = toClient(scheduler.lose('w1'), 'c');

  expect(told.filter((each) => each.type === 'key-erred')).toMatchObject([
    { key: 'begun', error: { code: 'LOST_DATA' } },
    { key: 'done', error: { code: 'LOST_DATA' } },
  ]);
});

test('with recompute: false, a run keeps its worker when its input is lost, and hears when it is there again', () => {
  const scheduler = cluster({}, 'w1', 'w2');
  scheduler.submit('c', [
    aTask('x', { workers: ['w1'] }),
    aTask('y', { dependencies: ['x'], recompute: false, workers: ['w2'] }),
  ]);
  scheduler.finish('x');
  scheduler.loseReplicas('w1', 'x');
  expect([scheduler.stateOf('x'), scheduler.stateOf('y')]).toEqual(['processing', 'processing']);

  expect(toWorker(scheduler.finish('x'), 'w2')).toMatchObject([
    { type: 'refresh-who-has', dependencies: [{ key: 'x', whoHas: [{ workerId: 'w1' }] }] },
  ]);
});

test('a copy that a peer could not get is not counted on any more, and freed also where a run needs it', () => {
  const scheduler = cluster({}, 'w1', 'w2');
  scheduler.submit('c', [aTask('x')]);
  scheduler.finish('x');
  scheduler.addReplica('w2', 'x');

  const instructions = scheduler.reportMissing('w2', 'x', 'w1');

  expect(toWorker(instructions, 'w1')).toMatchObject([{ type: 'free-keys', keys: ['x'] }]);
  expect(toWorker(instructions, 'w2')).toMatchObject([
    { type: 'refresh-who-has', dependencies: [{ key: 'x', whoHas: [{ workerId: 'w2' }] }] },
  ]);

  scheduler.submit('c', [aTask('y', { dependencies: ['x'] })]);
  const told = toWorker(scheduler.reportMissing('w1', 'x', 'w2'), 'w2');
  // Its run is taken back with it: a copy that nobody counts would stay for ever.
  expect(told.map((each) => each.type)).toEqual(['free-keys', 'cancel-task']);
});
