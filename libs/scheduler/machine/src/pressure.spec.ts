/** What a worker under memory pressure is given: nothing ahead, tasks with inputs before roots, roots one at a time. */
import type { SchedulerInstruction } from './instructions.js';
import { aScheduler, aTask, toWorker, type TestScheduler } from './testing/index.js';

const started = (instructions: readonly SchedulerInstruction[], workerId: string): string[] =>
  toWorker(instructions, workerId).flatMap((each) => (each.type === 'compute-task' ? [each.spec.key] : []));

const squeeze = (scheduler: TestScheduler, workerId: string): SchedulerInstruction[] =>
  scheduler.heartbeat(workerId, {}, { isUnderPressure: true });

function cluster(workers: Readonly<Record<string, number>>): TestScheduler {
  const scheduler = aScheduler();
  scheduler.connect('c');
  for (const [worker, nthreads] of Object.entries(workers)) scheduler.register(worker, { nthreads });
  return scheduler;
}

test('nothing is handed over ahead, and once the pressure is off it is again', () => {
  const scheduler = cluster({ w: 1 });
  scheduler.submit('c', [aTask('learn')]);
  scheduler.finish('learn', { durationMs: 1 });
  squeeze(scheduler, 'w');

  expect(started(scheduler.submit('c', [aTask('a'), aTask('b'), aTask('d')]), 'w')).toEqual(['a']);
  expect(started(scheduler.heartbeat('w'), 'w')).toEqual(['b', 'd']);
});

test('of two workers, roots go to the one that is not under pressure', () => {
  const scheduler = cluster({ tight: 2, roomy: 2 });
  squeeze(scheduler, 'tight');

  const instructions = scheduler.submit('c', [aTask('a'), aTask('b')]);

  expect(started(instructions, 'roomy')).toEqual(['a', 'b']);
});

test('a worker with nothing else to do takes a root, so that nothing stalls, and one at a time', () => {
  const scheduler = cluster({ w: 4 });
  squeeze(scheduler, 'w');

  expect(started(scheduler.submit('c', [aTask('a'), aTask('b'), aTask('d')]), 'w')).toEqual(['a']);
  expect(started(scheduler.finish('a'), 'w')).toEqual(['b']);
});

test('tasks with inputs go before roots of earlier graphs and of higher priority', () => {
  const scheduler = cluster({ w: 1 });
  scheduler.submit('c', [aTask('x')]);
  scheduler.finish('x');
  scheduler.submit('c', [aTask('busy')]);
  scheduler.submit('c', [aTask('root', { priority: 5 })]);
  scheduler.submit('c', [aTask('use', { dependencies: ['x'] })]);
  squeeze(scheduler, 'w');

  expect(started(scheduler.finish('busy'), 'w')).toEqual(['use']);
  expect(started(scheduler.finish('use'), 'w')).toEqual(['root']);
});

test('the same holds when both become ready at once', () => {
  const scheduler = cluster({ w: 1 });
  scheduler.submit('c', [aTask('x')]);
  scheduler.finish('x');
  squeeze(scheduler, 'w');

  const instructions = scheduler.submit('c', [
    aTask('root', { priority: 5 }),
    aTask('use', { dependencies: ['x'] }),
  ]);

  expect(started(instructions, 'w')).toEqual(['use']);
});

test('and when both may run on this worker only', () => {
  const scheduler = cluster({ w: 1, other: 1 });
  const workers = ['w'];
  scheduler.submit('c', [aTask('x', { workers })]);
  scheduler.finish('x');
  scheduler.submit('c', [aTask('busy', { workers })]);
  scheduler.submit('c', [aTask('root', { workers }), aTask('use', { workers, dependencies: ['x'] })]);
  squeeze(scheduler, 'w');

  expect(started(scheduler.finish('busy'), 'w')).toEqual(['use']);
  expect(started(scheduler.finish('use'), 'w')).toEqual(['root']);
});

test('queued tasks of both kinds leave a worker that pauses', () => {
  const scheduler = cluster({ w: 1 });
  const workers = ['w'];
  scheduler.submit('c', [aTask('busy', { workers }), aTask('root', { workers })]);
  expect(scheduler.stateOf('root')).toBe('queued');

  scheduler.setStatus('w', 'paused');
  expect(scheduler.stateOf('root')).toBe('no-worker');
});
