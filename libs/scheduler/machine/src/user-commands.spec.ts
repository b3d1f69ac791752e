import { aScheduler, aTask, toClient, toWorker, type TestScheduler } from './testing/index.js';

function cluster(): TestScheduler {
  const scheduler = aScheduler();
  scheduler.connect('c');
  scheduler.connect('d');
  scheduler.register('w');
  scheduler.submit('c', [
    aTask('x'),
    aTask('y', { dependencies: ['x'] }),
    aTask('z', { dependencies: ['y'] }),
  ]);
  return scheduler;
}

const keysTold = (instructions: ReturnType<TestScheduler['cancel']>, client: string): string[] =>
  toClient(instructions, client).flatMap((each) => ('key' in each ? [`${each.type} ${each.key}`] : []));

test('cancelling a key cancels what depends on it, and stops the run', () => {
  const scheduler = cluster();
  const instructions = scheduler.cancel('c', ['x']);

  expect(keysTold(instructions, 'c')).toEqual(['key-cancelled x', 'key-cancelled y', 'key-cancelled z']);
  expect(toWorker(instructions, 'w')).toMatchObject([{ type: 'cancel-task', key: 'x', runId: 1 }]);
  expect(scheduler.stateOf('x')).toBe('forgotten');
});

test('what somebody else wants goes on, with everything it needs', () => {
  const scheduler = cluster();
  scheduler.desire('d', 'y');

  expect(keysTold(scheduler.cancel('c', ['x']), 'c')).toEqual(['key-cancelled x']);
  expect([scheduler.stateOf('x'), scheduler.stateOf('y')]).toEqual(['processing', 'waiting']);
});

test('with force, others lose it too and are told', () => {
  const scheduler = cluster();
  scheduler.desire('d', 'y');

  expect(keysTold(scheduler.cancel('c', ['x'], true), 'd')).toEqual(['key-cancelled y']);
  expect(scheduler.stateOf('y')).toBe('forgotten');
});

test('results that are there stay when something they were made from is cancelled', () => {
  const scheduler = cluster();
  scheduler.finish('x');
  scheduler.finish('y');
  scheduler.cancel('c', ['x']);

  expect([scheduler.stateOf('x'), scheduler.stateOf('y')]).toEqual(['released', 'memory']);
});

test('a client cannot cancel what only others want, nor what nobody knows', () => {
  const scheduler = cluster();
  expect(scheduler.cancel('d', ['x', 'unknown'])).toEqual([]);
  expect(scheduler.stateOf('x')).toBe('processing');
});

test('retry runs the root of the error and everything that failed through it', () => {
  const scheduler = cluster();
  scheduler.submit('c', [aTask('sibling', { dependencies: ['x'] })]);
  scheduler.err('x');

  const instructions = scheduler.retry('c', 'z');

  expect(new Set(keysTold(instructions, 'c'))).toEqual(
    new Set(['key-retried x', 'key-retried y', 'key-retried z', 'key-retried sibling']),
  );
  expect(toWorker(instructions, 'w')).toMatchObject([{ type: 'compute-task', attempt: 2 }]);
  expect(scheduler.stateOf('z')).toBe('waiting');
});

test('retrying what has not erred does nothing', () => {
  expect(cluster().retry('c', 'x', 'unknown')).toEqual([]);
});
