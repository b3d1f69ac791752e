import type { SchedulerInstruction } from './instructions.js';
import { aScheduler, aTask, toWorker, type TaskDraft, type TestScheduler } from './testing/index.js';

const started = (instructions: readonly SchedulerInstruction[]): string[] =>
  instructions.flatMap((each) =>
    each.type === 'send-to-worker' && each.message.type === 'compute-task'
      ? [
          `${each.message.spec.key}@${each.workerId}${each.message.evenIfPaused === true ? ' even-if-paused' : ''}`,
        ]
      : [],
  );

const told = (instructions: readonly SchedulerInstruction[], event: string): unknown[] =>
  instructions.flatMap((each) => (each.type === 'log-event' && each.event === event ? [each.fields] : []));

/** Workers of two slots; `c` wants nothing but what it submits. */
function cluster(...workers: string[]): TestScheduler {
  const scheduler = aScheduler();
  scheduler.connect('c');
  for (const worker of workers) scheduler.register(worker, { nthreads: 2 });
  return scheduler;
}

/** Results of these sizes, which nobody wants, each with one task that uses it and is queued once all workers are paused. */
function withReaders(
  scheduler: TestScheduler,
  readers: Readonly<Record<string, { readonly inputBytes: number } & TaskDraft>>,
): SchedulerInstruction[] {
  const tasks = Object.entries(readers).flatMap(([key, { inputBytes: _, ...draft }]) => [
    aTask(`in-${key}`, { functionName: 'make', ...(draft.workers ? { workers: draft.workers } : {}) }),
    aTask(key, { ...draft, dependencies: [`in-${key}`] }),
  ]);
  scheduler.submit('c', tasks, Object.keys(readers));
  const workers = scheduler.machine.listWorkers().map((worker) => worker.workerId);
  for (const worker of workers) scheduler.setStatus(worker, 'paused');
  return Object.entries(readers).flatMap(([key, { inputBytes }]) =>
    scheduler.finish(`in-${key}`, { nbytes: inputBytes }),
  );
}

function learn(scheduler: TestScheduler, functionName: string, nbytes: number): void {
  scheduler.submit('c', [aTask(`learn-${functionName}`, { functionName })]);
  scheduler.finish(`learn-${functionName}`, { nbytes });
}

test('with all workers paused, a task that frees more than it makes runs on the worker that has its inputs', () => {
  const scheduler = cluster('w');
  learn(scheduler, 'sum', 10);

  const instructions = withReaders(scheduler, { use: { inputBytes: 1_000, functionName: 'sum' } });

  expect(started(instructions)).toEqual(['use@w even-if-paused']);
  expect(told(instructions, 'cluster.draining')).toEqual([
    { pausedWorkers: 1, queued: 1, workerId: 'w', key: 'use', releasedBytes: 1_000, expectedOutputBytes: 10 },
  ]);
});

test('one task in the whole cluster at a time, and its end starts the next', () => {
  const scheduler = cluster('w1', 'w2');
  learn(scheduler, 'sum', 10);
  const small = { inputBytes: 500, functionName: 'sum', workers: ['w1'] };
  const large = { inputBytes: 900, functionName: 'sum', workers: ['w2'] };

  expect(started(withReaders(scheduler, { small, large }))).toEqual(['small@w1 even-if-paused']);

  const next = scheduler.finish('small', { nbytes: 10 });
  expect(started(next)).toEqual(['large@w2 even-if-paused']);
  expect(told(next, 'cluster.draining')).toEqual([]);
});

test('known to free memory goes before unknown, and of unknown ones the one that releases most', () => {
  const scheduler = cluster('w');
  learn(scheduler, 'sum', 10);
  scheduler.submit('c', [aTask('x'), aTask('y')], ['x', 'y']);
  scheduler.setStatus('w', 'paused');
  const tasks = ['known', 'unknown', 'more'].map((key) =>
    aTask(key, { dependencies: [`d-${key}`], functionName: key === 'known' ? 'sum' : key }),
  );
  const data = { 'd-known': 50, 'd-unknown': 1_000, 'd-more': 2_000 };
  for (const [key, nbytes] of Object.entries(data)) scheduler.scatter('c', key, nbytes, 'w');
  scheduler.submit('c', tasks, ['known', 'unknown', 'more']);
  // Their slots are taken by what ran before the pause.
  expect(scheduler.machine.countsByState).toMatchObject({ processing: 2, queued: 3 });
  scheduler.release('c', ...Object.keys(data));

  expect(started(scheduler.finish('x'))).toEqual(['known@w even-if-paused']);
  expect(started(scheduler.finish('known', { nbytes: 1 }))).toEqual(['more@w even-if-paused']);
  expect(started(scheduler.finish('more', { nbytes: 1 }))).toEqual(['unknown@w even-if-paused']);
});

test.each([
  ['its result is larger than what it releases', { nbytes: 2_000, wants: ['use'], elsewhere: false }],
  ['a client wants its input', { nbytes: 10, wants: ['use', 'in'], elsewhere: false }],
  ['another task waits for its input', { nbytes: 10, wants: ['use', 'other'], elsewhere: false }],
  ['one of its inputs is on another worker only', { nbytes: 10, wants: ['use'], elsewhere: true }],
])('a task is not run on a paused worker when %s', (_why, { nbytes, wants, elsewhere }) => {
  const scheduler = cluster('w', 'w2');
  learn(scheduler, 'sum', nbytes);
  scheduler.submit(
    'c',
    [
      aTask('in', { workers: ['w'] }),
      aTask('far', { workers: [elsewhere ? 'w2' : 'w'] }),
      aTask('use', { dependencies: ['in', 'far'], functionName: 'sum' }),
      aTask('other', { dependencies: ['in', 'far'], functionName: 'sum' }),
    ],
    wants,
  );
  scheduler.setStatus('w', 'paused');
  scheduler.setStatus('w2', 'paused');
  scheduler.finish('in', { nbytes: 1_000 });

  expect(started(scheduler.finish('far', { nbytes: 0 }))).toEqual([]);
  expect(scheduler.stateOf('use')).toBe('queued');
  expect(scheduler.machine.nextWakeMs).toBe(30_000);
});

test('roots and tasks that other workers could run are left alone', () => {
  const scheduler = cluster('w', 'free');
  learn(scheduler, 'sum', 10);
  scheduler.setStatus('free', 'paused');
  withReaders(scheduler, { use: { inputBytes: 1_000, functionName: 'sum' } });
  scheduler.submit('c', [aTask('root')]);
  scheduler.finish('use', { nbytes: 1 });
  expect(scheduler.stateOf('root')).toBe('queued');

  expect(started(scheduler.setStatus('free', 'running'))).toEqual(['root@free']);
});

test('a task restricted to a paused worker drains there when nothing else executes, although others are running', () => {
  const scheduler = cluster('w', 'other');
  learn(scheduler, 'sum', 10);
  scheduler.submit(
    'c',
    [
      aTask('in', { workers: ['w'] }),
      aTask('use', { dependencies: ['in'], functionName: 'sum', workers: ['w'] }),
      aTask('busy', { functionName: 'busy', workers: ['other'] }),
    ],
    ['use', 'busy'],
  );
  scheduler.setStatus('w', 'paused');
  expect(started(scheduler.finish('in', { nbytes: 1_000 }))).toEqual([]);
  expect(scheduler.stateOf('use')).toBe('no-worker');

  expect(started(scheduler.finish('busy'))).toEqual(['use@w even-if-paused']);
});

test('a worker that gives such a task back gets no other until its status changes', () => {
  const scheduler = cluster('w');
  learn(scheduler, 'sum', 10);
  withReaders(scheduler, { use: { inputBytes: 1_000, functionName: 'sum' } });

  expect(started(scheduler.handBack('use'))).toEqual([]);
  expect(scheduler.machine.nextWakeMs).toBe(30_000);
  expect(started(scheduler.setStatus('w', 'running'))).toEqual(['use@w']);
});

test('it ends when a worker resumes: the rest is placed as always', () => {
  const scheduler = cluster('w');
  learn(scheduler, 'sum', 10);
  const reader = { inputBytes: 1_000, functionName: 'sum' };
  withReaders(scheduler, { one: reader, two: reader, three: reader });

  expect(toWorker(scheduler.setStatus('w', 'running'), 'w')).toMatchObject([
    { type: 'compute-task', spec: { key: 'two' } },
  ]);
});
