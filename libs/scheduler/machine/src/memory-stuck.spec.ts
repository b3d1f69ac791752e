import { aScheduler, aTask, toClient, toWorker, type TestScheduler } from './testing/index.js';

const MIB = 1024 ** 2;

/** Paused workers, a result on each of two that `c` wants, and a queued task that would only add to it. */
function stuck(memoryStuckTimeoutMs: number | false = 30_000): TestScheduler {
  const scheduler = aScheduler({ memoryStuckTimeoutMs });
  scheduler.connect('c');
  for (const worker of ['w1', 'w2']) scheduler.register(worker, { memoryLimitBytes: 500 * MIB });
  scheduler.submit('c', [aTask('a', { workers: ['w1'] }), aTask('b', { workers: ['w2'] })]);
  scheduler.finish('a', { nbytes: 300 * MIB });
  scheduler.finish('b', { nbytes: 200 * MIB });
  scheduler.register('w3');
  scheduler.scatter('c', 'spare', 1, 'w1');
  for (const worker of ['w1', 'w2', 'w3']) scheduler.setStatus(worker, 'paused');
  scheduler.submit(
    'c',
    [
      aTask('sum', { dependencies: ['a', 'b'], functionName: 'sum' }),
      aTask('total', { dependencies: ['sum'], functionName: 'sum' }),
    ],
    ['total'],
  );
  return scheduler;
}

const errors = (instructions: ReturnType<TestScheduler['tick']>): string[] =>
  toClient(instructions, 'c').flatMap((each) =>
    each.type === 'key-erred' ? [`${each.key} ${each.error.code}`] : [],
  );

test('when nothing has moved for the timeout, what clients wait for errs, and the error says who holds what', () => {
  const scheduler = stuck();
  const readings = { processBytes: 450 * MIB, managedBytes: 300 * MIB, unmanagedOldBytes: 150 * MIB };
  scheduler.heartbeat('w1', {}, { ...readings, spillRefusedBecause: 'disk-full' });
  expect(scheduler.machine.nextWakeMs).toBe(30_000);
  expect(errors(scheduler.tick(29_999))).toEqual([]);

  const instructions = scheduler.tick(30_000);

  const [told] = toClient(instructions, 'c');
  expect(told).toMatchObject({
    type: 'key-erred',
    key: 'total',
    error: {
      code: 'CLUSTER_MEMORY_STUCK',
      message:
        'The workers that may run what is ready (1 task) are all paused because their memory is full; no task would free ' +
        'some, and nothing has moved for 30000 ms. Who holds what: ' +
        'w1 (paused) process 450 MiB of 500 MiB, managed 300 MiB, spilled 0 B, 2 keys, its disk takes nothing (disk-full); ' +
        'w2 (paused) process 0 B of 500 MiB, managed 0 B, spilled 0 B, 1 key; ' +
        'w3 (paused) process 0 B of no limit, managed 0 B, spilled 0 B, 0 keys. ' +
        'The largest keys: a 300 MiB on w1, b 200 MiB on w2, spare 1 B on w1. Release results that are no longer ' +
        'needed, give the workers more memory or room to spill, or add workers; then retry.',
      details: {
        tasks: '1',
        pausedWorkers: '3',
        largestKeys: JSON.stringify([
          { key: 'a', nbytes: 300 * MIB, worker: 'w1' },
          { key: 'b', nbytes: 200 * MIB, worker: 'w2' },
          { key: 'spare', nbytes: 1, worker: 'w1' },
        ]),
      },
    },
  });
  expect(instructions).toContainEqual(
    expect.objectContaining({
      type: 'log-event',
      event: 'cluster.memory-stuck',
      fields: expect.objectContaining({ tasks: 1, forMs: 30_000, processBytes: 450 * MIB }) as unknown,
      keys: ['sum'],
    }),
  );
  expect(scheduler.machine.nextWakeMs).toBeUndefined();
});

test('what is not stuck goes on: results stay, and stuck tasks can be retried', () => {
  const scheduler = stuck();
  scheduler.tick(30_000);
  expect([scheduler.stateOf('a'), scheduler.stateOf('sum'), scheduler.stateOf('total')]).toEqual([
    'memory',
    'erred',
    'erred',
  ]);

  scheduler.retry('c', 'total');
  expect(scheduler.machine.nextWakeMs).toBe(60_000);
  const [, message] = [...toWorker(scheduler.setStatus('w1', 'running'), 'w1')].reverse();
  expect(scheduler.stateOf('sum')).toBe('processing');
  expect(message).toBeUndefined();
});

test.each<[string, (scheduler: TestScheduler) => unknown]>([
  ['a result is released', (scheduler) => scheduler.release('c', 'spare')],
  ['a worker is lost', (scheduler) => scheduler.lose('w3', { onPurpose: true })],
  ['a paused worker retires', (scheduler) => scheduler.setStatus('w3', 'retiring')],
  ['a worker spills', (scheduler) => scheduler.heartbeat('w1', {}, { spillWrittenBytes: 5 })],
  [
    'a worker joins, pauses and gives back what it got',
    (scheduler) => {
      scheduler.register('w4');
      scheduler.setStatus('w4', 'paused');
      scheduler.handBack('sum');
    },
  ],
])('the time starts anew when %s', (_what, move) => {
  const scheduler = stuck();
  scheduler.nowMs = 20_000;

  move(scheduler);

  expect(scheduler.machine.nextWakeMs).toBe(50_000);
});

test('a heartbeat or another graph gives no more time, and a worker that resumes all there is', () => {
  const scheduler = stuck();
  scheduler.nowMs = 20_000;
  scheduler.heartbeat('w1');
  scheduler.submit('c', [aTask('more')]);
  expect(scheduler.machine.nextWakeMs).toBe(30_000);

  scheduler.setStatus('w1', 'running');
  expect(scheduler.machine.nextWakeMs).toBeUndefined();
});

test('while a task executes the time stands, and it does not while a paused worker only keeps one that it has not begun', () => {
  const scheduler = aScheduler();
  scheduler.connect('c');
  scheduler.register('w');
  scheduler.submit('c', [aTask('long'), aTask('next')]);
  scheduler.setStatus('w', 'paused');
  expect(scheduler.machine.nextWakeMs).toBeUndefined();
  scheduler.heartbeat('w', { long: 5_000 });
  expect(scheduler.machine.nextWakeMs).toBeUndefined();

  scheduler.heartbeat('w');
  expect(scheduler.machine.nextWakeMs).toBe(30_000);
  const instructions = scheduler.tick(30_000);
  expect(errors(instructions)).toEqual(['next CLUSTER_MEMORY_STUCK', 'long CLUSTER_MEMORY_STUCK']);
  expect(toWorker(instructions, 'w')).toMatchObject([{ type: 'cancel-task', key: 'long' }]);
});

test('only tasks whose workers are paused are given up: others wait for a worker, or run', () => {
  const scheduler = aScheduler();
  scheduler.connect('c');
  scheduler.register('w1');
  scheduler.register('w2');
  scheduler.setStatus('w1', 'paused');
  scheduler.submit('c', [aTask('here', { workers: ['w1'] }), aTask('nowhere', { workers: ['w9'] })]);
  expect(scheduler.machine.nextWakeMs).toBe(30_000);

  expect(errors(scheduler.tick(30_000))).toEqual(['here CLUSTER_MEMORY_STUCK']);
  expect(scheduler.stateOf('nowhere')).toBe('no-worker');
});

test('a cluster whose workers are paused and have nothing to do is not stuck, nor is one without workers', () => {
  const scheduler = aScheduler();
  scheduler.connect('c');
  scheduler.register('w');
  scheduler.setStatus('w', 'paused');
  expect(scheduler.machine.nextWakeMs).toBeUndefined();

  scheduler.lose('w', { onPurpose: true });
  scheduler.submit('c', [aTask('x')]);
  expect(scheduler.machine.nextWakeMs).toBeUndefined();
});

test('with the timeout off, tasks wait for ever', () => {
  const scheduler = stuck(false);
  expect(scheduler.machine.nextWakeMs).toBeUndefined();

  expect(errors(scheduler.tick(1e9))).toEqual([]);
});
