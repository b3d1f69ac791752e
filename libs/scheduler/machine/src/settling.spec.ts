import { aScheduler, aTask, toWorker } from './testing/index.js';
import type { SchedulerInstruction } from './instructions.js';

const started = (instructions: readonly SchedulerInstruction[], workerId: string): string[] =>
  toWorker(instructions, workerId).flatMap((each) => (each.type === 'compute-task' ? [each.spec.key] : []));

test('a worker is told everything a task needs: its spec, its attempt, its priority and where its inputs are', () => {
  const scheduler = aScheduler();
  scheduler.connect('c');
  scheduler.register('w');
  scheduler.submit('c', [aTask('x')]);
  scheduler.finish('x', { nbytes: 7, durationMs: 40 });

  const instructions = scheduler.submit('c', [aTask('y', { dependencies: ['x'], priority: 3 })]);

  expect(toWorker(instructions, 'w')).toEqual([
    {
      type: 'compute-task',
      stimulusId: scheduler.stimulusId,
      runId: 2,
      priority: [-3, 2, 0],
      attempt: 1,
      expectedMs: 40,
      spec: aTask('y', { dependencies: ['x'], priority: 3 }),
      dependencies: [{ key: 'x', nbytes: 7, whoHas: [{ workerId: 'w', address: 'w:1' }] }],
    },
  ]);
});

test('free slots everywhere are filled before anything is prefetched', () => {
  const scheduler = aScheduler();
  scheduler.connect('c');
  scheduler.submit('c', [aTask('learn')]);
  scheduler.register('w1');
  scheduler.finish('learn', { durationMs: 1 });
  scheduler.setStatus('w1', 'paused');
  scheduler.submit('c', [aTask('a'), aTask('b'), aTask('d'), aTask('e')]);
  scheduler.register('w2', {});

  expect(scheduler.runs.filter((run) => run.workerId === 'w2').map((run) => run.key)).toEqual([
    'a',
    'b',
    'd',
    'e',
  ]);
  expect(started(scheduler.setStatus('w1', 'running'), 'w1')).toEqual([]);
});

test('tasks spread over workers with free slots instead of standing behind each other', () => {
  const scheduler = aScheduler();
  scheduler.connect('c');
  scheduler.register('w1', { nthreads: 2 });
  scheduler.register('w2', { nthreads: 2 });
  scheduler.submit(
    'c',
    ['a', 'b', 'd', 'e', 'f'].map((key) => aTask(key)),
  );

  const counts = scheduler.machine.listWorkers().map((worker) => worker.processingCount);
  expect(counts).toEqual([2, 2]);
  expect(scheduler.stateOf('f')).toBe('queued');
});

test('a task that waits for the holder of its data goes to an idle worker once that holder takes longer work', () => {
  const scheduler = aScheduler({ bandwidthBytesPerSecond: 1e6 });
  scheduler.connect('c');
  scheduler.register('holder');
  scheduler.submit('c', [aTask('data'), aTask('short', { functionName: 'short' })]);
  scheduler.finish('data', { nbytes: 100_000 });
  scheduler.finish('short', { durationMs: 50 });
  // 50 ms of work on the holder, and 100 ms to fetch: better to wait.
  scheduler.submit('c', [aTask('busy', { functionName: 'short' })]);
  scheduler.register('idle');
  scheduler.submit('c', [aTask('use', { dependencies: ['data'] })]);
  expect(scheduler.stateOf('use')).toBe('queued');

  // It has been at it for ten seconds.
  expect(started(scheduler.heartbeat('holder', { busy: 10_000 }), 'idle')).toEqual(['use']);
});

test('a paused worker gets nothing, keeps what it has, and goes on where it left off', () => {
  const scheduler = aScheduler();
  scheduler.connect('c');
  scheduler.register('w');
  scheduler.submit('c', [aTask('a'), aTask('b')]);
  scheduler.setStatus('w', 'paused');

  expect(started(scheduler.finish('a'), 'w')).toEqual([]);
  expect(started(scheduler.setStatus('w', 'running'), 'w')).toEqual(['b']);
});

test('queued tasks of a worker that pauses are given to others', () => {
  const scheduler = aScheduler({ bandwidthBytesPerSecond: 1 });
  scheduler.connect('c');
  scheduler.register('home');
  scheduler.submit('c', [aTask('data'), aTask('busy')]);
  scheduler.finish('data', { nbytes: 1_000_000 });
  scheduler.submit('c', [aTask('use', { dependencies: ['data'] })]);
  scheduler.register('other');
  expect(scheduler.stateOf('use')).toBe('queued');

  expect(started(scheduler.setStatus('home', 'paused'), 'other')).toEqual(['use']);
});

test('a long chain of errors and releases does not depend on the depth of the stack', () => {
  const scheduler = aScheduler({ commitStepsMax: 100_000 });
  scheduler.connect('c');
  const chain = Array.from({ length: 2_000 }, (_, index) =>
    aTask(`t${index}`, index === 0 ? {} : { dependencies: [`t${index - 1}`] }),
  );
  scheduler.submit('c', chain, ['t1999']);
  scheduler.register('w');
  scheduler.err('t0', { mayRetry: false });
  expect(scheduler.stateOf('t1999')).toBe('erred');

  scheduler.release('c', 't1999');
  expect(scheduler.stateOf('t0')).toBe('forgotten');
});

test('when one input makes very many tasks ready, they are placed in slices, the best first', () => {
  const scheduler = aScheduler({ commitStepsMax: 10 });
  scheduler.connect('c');
  scheduler.register('w');
  const users = Array.from({ length: 30 }, (_, index) =>
    aTask(`use${index}`, { dependencies: ['x'], priority: index === 29 ? 1 : 0 }),
  );
  scheduler.submit('c', [aTask('x', { priority: 5 }), ...users]);
  while (scheduler.machine.nextWakeMs === 0) scheduler.tick();

  expect(started(scheduler.finish('x'), 'w')).toEqual(['use29']);
  expect(scheduler.machine.countsByState).toMatchObject({ queued: 9, waiting: 20 });

  scheduler.tick();
  scheduler.tick();
  expect(scheduler.machine.countsByState).toMatchObject({ queued: 29, waiting: 0 });
  expect(scheduler.machine.nextWakeMs).toBeUndefined();
});

test('a recipe of very many tasks that nobody needs any more is forgotten in slices', () => {
  const scheduler = aScheduler({ commitStepsMax: 10 });
  scheduler.connect('c');
  const parts = Array.from({ length: 30 }, (_, index) => aTask(`part${index}`));
  scheduler.submit('c', [...parts, aTask('all', { dependencies: parts.map((part) => part.key) })], ['all']);
  while (scheduler.machine.nextWakeMs === 0) scheduler.tick();
  scheduler.release('c', 'all');
  expect(scheduler.machine.countsByState.forgotten).toBe(10);

  while (scheduler.machine.nextWakeMs === 0) scheduler.tick();
  expect(scheduler.machine.countsByState).toMatchObject({ forgotten: 31, released: 0, queued: 0 });
});

test('nobody idles while a task for two workers waits for the busy one of them that has its input', () => {
  const scheduler = aScheduler();
  scheduler.connect('c');
  scheduler.register('w1');
  scheduler.register('w2');
  scheduler.submit('c', [aTask('a', { workers: ['w1'] })]);
  // As far as is known, half a second to wait for w1, and five to fetch.
  scheduler.finish('a', { nbytes: 2e9 });
  scheduler.submit('c', [aTask('long', { workers: ['w1'], functionName: 'long' })]);

  const instructions = scheduler.submit('c', [aTask('use', { dependencies: ['a'], workers: ['w1', 'w2'] })]);

  expect(started(instructions, 'w2')).toEqual(['use']);
});
