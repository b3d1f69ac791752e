import { asRunId, asWorkerId } from '@spillway/kernel';
import { NO_READINGS, remoteError } from '@spillway/messages';
import { aScheduler, aTask, toClient, toWorker, type TestScheduler } from './testing/index.js';

function running(draft: Parameters<typeof aTask>[1] = {}): TestScheduler {
  const scheduler = aScheduler({ inlineResultBytesMax: 3 });
  scheduler.connect('c');
  scheduler.register('w1');
  scheduler.submit('c', [aTask('x', draft)]);
  return scheduler;
}

test('a result is told to the client with its holder, and inline when it is small', () => {
  const inline = { encoding: 'json' as const, data: Uint8Array.of(1, 2, 3) };
  expect(toClient(running().finish('x', { nbytes: 3, inline }), 'c')).toEqual([
    { type: 'key-in-memory', key: 'x', nbytes: 3, holders: [{ workerId: 'w1', address: 'w1:1' }], inline },
  ]);

  const large = { encoding: 'json' as const, data: Uint8Array.of(1, 2, 3, 4) };
  expect(toClient(running().finish('x', { inline: large }), 'c')[0]).not.toHaveProperty('inline');
});

test('the result of an older run on another worker is freed there and changes nothing', () => {
  const scheduler = running();
  const old = scheduler.runOf('x');
  scheduler.handBack('x');
  scheduler.setStatus('w1', 'paused');
  scheduler.handBack('x');
  scheduler.register('w2');
  expect(scheduler.runOf('x').workerId).toBe('w2');

  expect(toWorker(scheduler.finish('x', {}, old), 'w1')).toMatchObject([{ type: 'free-keys', keys: ['x'] }]);
  expect(scheduler.stateOf('x')).toBe('processing');
});

test('the result of an older run is not freed on a worker that runs the task anew, since that would stop it', () => {
  const scheduler = running();
  const old = scheduler.runOf('x');
  scheduler.handBack('x');

  expect(scheduler.finish('x', {}, old)).toEqual([]);
  expect(scheduler.stateOf('x')).toBe('processing');
});

test('errors and hand-backs of older runs, and anything of unknown workers, are ignored', () => {
  const scheduler = running();
  const old = { key: 'x', workerId: 'w1', runId: asRunId(99) };
  const stranger = { ...scheduler.runOf('x'), workerId: 'nobody' };

  for (const run of [old, stranger]) {
    expect(scheduler.err('x', {}, run)).toEqual([]);
    expect(scheduler.handBack('x', run)).toEqual([]);
  }
  expect(scheduler.finish('x', {}, stranger)).toEqual([]);
  expect(scheduler.stateOf('x')).toBe('processing');
});

test('a task is retried as often as it says, each time as the next attempt, and errs after that', () => {
  const scheduler = running({ retries: 2 });
  const attempts = [scheduler.err('x'), scheduler.err('x')].map((each) => toWorker(each, 'w1'));
  expect(attempts).toMatchObject([[{ attempt: 2 }], [{ attempt: 3 }]]);

  const error = remoteError('TASK_FAILED', 'third time');
  const told = { ...error, details: { workerId: 'w1', workerName: 'w1' } };
  expect(toClient(scheduler.err('x', { error }), 'c')).toEqual([
    { type: 'key-erred', key: 'x', error: told },
  ]);
});

test('what a retry cannot mend is not retried', () => {
  const scheduler = running({ retries: 2 });
  scheduler.err('x', { mayRetry: false });

  expect(scheduler.stateOf('x')).toBe('erred');
});

test('a task that is given back is decided again, without a charge', () => {
  const scheduler = running();

  expect(toWorker(scheduler.handBack('x'), 'w1')).toMatchObject([
    { type: 'compute-task', attempt: 1, runId: 2 },
  ]);
});

test('all dependents of a failed task share one error, whose cause is the original', () => {
  const scheduler = aScheduler();
  scheduler.connect('c');
  scheduler.register('w');
  scheduler.submit('c', [
    aTask('bad'),
    aTask('near', { dependencies: ['bad'] }),
    aTask('far', { dependencies: ['near'] }),
  ]);
  const error = remoteError('TASK_FAILED', 'boom');

  const told = toClient(scheduler.err('bad', { error, mayRetry: false }), 'c');

  const errors = told.flatMap((each) => (each.type === 'key-erred' ? [each.error] : []));
  expect(errors[1]).toMatchObject({ code: 'DEPENDENCY_FAILED', details: { key: 'bad' }, cause: error });
  expect(errors[2]).toBe(errors[1]);
});

test('a task that comes to depend on an erred one errs at once', () => {
  const scheduler = running();
  scheduler.err('x');

  const told = toClient(scheduler.submit('c', [aTask('y', { dependencies: ['x'] })]), 'c');
  expect(told).toMatchObject([{ type: 'graph-accepted' }, { type: 'key-erred', key: 'y' }]);
});

test('a worker that says its memory limit in a heartbeat has that limit from then on', () => {
  const scheduler = aScheduler();
  scheduler.register('w1', { memoryLimitBytes: 1_000 });
  const limits = (): unknown[] => scheduler.machine.listWorkers().map((worker) => worker.memoryLimitBytes);
  const metrics = {
    memory: NO_READINGS,
    isUnderPressure: false,
    cpuFraction: 0,
    loopDelayMs: 0,
    executing: [],
  };
  const workerId = asWorkerId('w1');

  scheduler.handle({ type: 'heartbeat', workerId, metrics: { ...metrics, memoryLimitBytes: 600 } });
  expect(limits()).toEqual([600]);
  scheduler.handle({ type: 'heartbeat', workerId, metrics });
  expect(limits()).toEqual([600]);
});
