import { NoValidWorkerError } from '@spillway/kernel';
import { aScheduler, aTask, toClient, toWorker, type TestScheduler } from './testing/index.js';

function cluster(): TestScheduler {
  const scheduler = aScheduler();
  scheduler.connect('c');
  scheduler.register('w1', { memoryLimitBytes: 1_000 });
  scheduler.register('w2', { memoryLimitBytes: 2_000 });
  return scheduler;
}

const plan = (scheduler: TestScheduler, nbytes: number, copies = 1, workers: string[] = []): string[] =>
  scheduler.machine.planScatter(nbytes, copies, workers).map((holder) => holder.workerId);

test('scattered data is in memory, wanted by its client, and freed when that lets go', () => {
  const scheduler = cluster();
  const told = toClient(scheduler.scatter('c', 'd', 100, 'w1', 'w2', 'gone'), 'c');
  expect(told).toMatchObject([{ type: 'key-in-memory', holders: [{ workerId: 'w1' }, { workerId: 'w2' }] }]);

  expect(toWorker(scheduler.release('c', 'd'), 'w1')).toMatchObject([{ type: 'free-keys', keys: ['d'] }]);
  expect(scheduler.stateOf('d')).toBe('forgotten');
});

test('data that is on no registered worker is lost', () => {
  expect(toClient(cluster().scatter('c', 'd', 100, 'gone'), 'c')).toMatchObject([
    { type: 'key-erred', error: { code: 'LOST_DATA' } },
  ]);
});

test('data that is scattered again has more copies, and what failed for want of it can be retried', () => {
  const scheduler = cluster();
  scheduler.scatter('c', 'd', 100, 'w1');
  scheduler.scatter('c', 'd', 100, 'w2');
  expect(scheduler.machine.describe('d' as never).whoHas.length).toBe(2);

  scheduler.submit('c', [aTask('x', { dependencies: ['d'] })]);
  scheduler.lose('w1');
  scheduler.lose('w2');
  expect([scheduler.stateOf('d'), scheduler.stateOf('x')]).toEqual(['erred', 'erred']);

  scheduler.register('w3');
  scheduler.scatter('c', 'd', 100, 'w3');
  scheduler.retry('c', 'x');
  expect([scheduler.stateOf('d'), scheduler.stateOf('x')]).toEqual(['memory', 'processing']);
});

test('data cannot be scattered under the key of a task, and its copies are dropped', () => {
  const scheduler = cluster();
  scheduler.submit('c', [aTask('x', { workers: ['w1'] })]);

  const instructions = scheduler.scatter('c', 'x', 100, 'w1', 'w2');

  expect(toClient(instructions, 'c')).toMatchObject([{ type: 'key-erred', error: { code: 'KEY_CONFLICT' } }]);
  expect(toWorker(instructions, 'w1')).toEqual([]);
  expect(toWorker(instructions, 'w2')).toMatchObject([{ type: 'free-keys', keys: ['x'] }]);
});

test('data that only its worker announced is freed, and what was announced before stays as it is', () => {
  const scheduler = cluster();
  expect(scheduler.addReplica('w1', 'orphan')).toMatchObject([
    { type: 'send-to-worker', workerId: 'w1', message: { type: 'free-keys', keys: ['orphan'] } },
  ]);
  expect(scheduler.stateOf('orphan')).toBe('forgotten');

  scheduler.scatter('c', 'd', 100, 'w1');
  expect(scheduler.addReplica('w1', 'd')).toEqual([]);
  expect(scheduler.machine.describe('d' as never).whoHas.map((holder) => holder.workerId)).toEqual(['w1']);
});

test('data is planned where there is most room, and many plans at once do not all name one worker', () => {
  const scheduler = cluster();
  expect(plan(scheduler, 800)).toEqual(['w2']);
  expect(plan(scheduler, 800)).toEqual(['w2']);
  expect(plan(scheduler, 800)).toEqual(['w1']);
  expect(plan(scheduler, 1, 5)).toEqual(['w2', 'w1']);

  scheduler.heartbeat('w2');
  expect(plan(scheduler, 1)).toEqual(['w2']);
});

test('only running workers are planned, and only those that are named', () => {
  const scheduler = cluster();
  expect(plan(scheduler, 1, 2, ['w1', 'unknown'])).toEqual(['w1']);
  scheduler.setStatus('w2', 'paused');
  expect(plan(scheduler, 1, 2)).toEqual(['w1']);
  expect(() => plan(scheduler, 1, 1, ['w2'])).toThrow(NoValidWorkerError);
});
