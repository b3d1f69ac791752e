/** The scheduler dies and is started again, with its journal. */
import { asRunId } from '@spillway/kernel';
import { aScheduler, aTask, aVerdict, toClient, toWorker, type TestScheduler } from './testing/index.js';

const computed = (scheduler: TestScheduler, from: number): string[] =>
  scheduler.runs.slice(from).map((run) => run.key);

/** `a` and `b` are done on two workers, `c` of both runs on the first. */
function atWork(): TestScheduler {
  const scheduler = aScheduler();
  scheduler.connect('me');
  scheduler.register('w1');
  scheduler.register('w2');
  scheduler.submit('me', [aTask('a'), aTask('b'), aTask('c', { dependencies: ['a', 'b'] })]);
  scheduler.finish('a');
  scheduler.finish('b');
  return scheduler;
}

const workerOf = (scheduler: TestScheduler, key: string): string => scheduler.runOf(key).workerId;

test('results that workers bring back are not computed again, and runs that go on are not begun again', () => {
  const scheduler = atWork();
  const runs = scheduler.runs.length;
  const run = scheduler.runOf('c');
  scheduler.restart();
  expect(['a', 'b', 'c'].map((key) => scheduler.stateOf(key))).toEqual(['awaited', 'awaited', 'waiting']);
  for (const worker of ['w1', 'w2']) {
    const held = ['a', 'b'].filter((key) => workerOf(scheduler, key) === worker);
    scheduler.register(worker, {
      holdings: Object.fromEntries(held.map((key) => [key, 100])),
      executing: run.workerId === worker ? { c: run.runId } : {},
    });
  }
  expect(['a', 'b', 'c'].map((key) => scheduler.stateOf(key))).toEqual(['memory', 'memory', 'processing']);
  expect(toClient(scheduler.resume('me', 'a', 'b', 'c'), 'me')).toMatchObject([
    { type: 'key-in-memory', key: 'a' },
    { type: 'key-in-memory', key: 'b' },
    { type: 'key-retried', key: 'c' },
  ]);
  expect(toClient(scheduler.finish('c'), 'me')).toMatchObject([{ type: 'key-in-memory', key: 'c' }]);
  expect(computed(scheduler, runs)).toEqual([]);
});

test('a run that ended before its worker was the last to come back counts', () => {
  const scheduler = atWork();
  const run = scheduler.runOf('c');
  const other = run.workerId === 'w1' ? 'w2' : 'w1';
  const keys = (worker: string): Record<string, number> =>
    Object.fromEntries(
      ['a', 'b'].filter((key) => workerOf(scheduler, key) === worker).map((key) => [key, 100]),
    );
  const [own, others] = [keys(run.workerId), keys(other)];
  scheduler.restart();
  scheduler.register(run.workerId, { holdings: own, executing: { c: run.runId } });
  scheduler.finish('c');
  expect(scheduler.stateOf('c')).toBe('memory');
  scheduler.register(other, { holdings: others });
  expect(scheduler.runs.filter(({ key }) => key === 'c')).toHaveLength(1);
});

test('nothing is begun, and nothing taken for lost, before everybody is back or the time is over', () => {
  const scheduler = atWork();
  const runs = scheduler.runs.length;
  const gone = workerOf(scheduler, 'a');
  scheduler.restart();
  scheduler.resume('me', 'a', 'b', 'c');
  scheduler.register(gone === 'w1' ? 'w2' : 'w1', {
    holdings: workerOf(scheduler, 'b') === gone ? {} : { b: 100 },
  });
  scheduler.tick(9_999);
  expect(computed(scheduler, runs)).toEqual([]);
  const over = scheduler.tick(10_000);
  expect(computed(scheduler, runs)).toContain('a');
  expect(toClient(over, 'me')).toContainEqual({ type: 'key-lost', key: 'a' });
});

test('a worker that did not come back to one life is not waited for by the next', () => {
  const scheduler = atWork();
  scheduler.restart();
  scheduler.register('w3');
  scheduler.tick(10_000);
  const runs = scheduler.runs.length;
  scheduler.restart();
  scheduler.register('w3');
  expect(scheduler.runs.length).toBeGreaterThan(runs);
});

test('a worker that died meanwhile is not waited for, unless its successor has its values', () => {
  const scheduler = atWork();
  const runs = scheduler.runs.length;
  scheduler.restart();
  scheduler.register('w2', {
    holdings: Object.fromEntries([
      ['a', 100],
      ['b', 100],
    ]),
  });
  scheduler.lose('w1', { verdict: aVerdict('w1'), leavesValues: true });
  expect(computed(scheduler, runs)).toEqual([]);
  scheduler.lose('w1', { verdict: aVerdict('w1') });
  expect(computed(scheduler, runs)).toEqual(['c']);
});

test('a task that must not run twice errs only when no worker has it any more', () => {
  const start = (): TestScheduler => {
    const scheduler = aScheduler();
    scheduler.connect('me');
    scheduler.register('w');
    scheduler.submit('me', [aTask('once', { recompute: false })]);
    return scheduler;
  };
  const goesOn = start();
  const { runId } = goesOn.runOf('once');
  goesOn.restart();
  goesOn.register('w', { executing: { once: runId } });
  goesOn.finish('once');
  expect(goesOn.stateOf('once')).toBe('memory');

  const isGone = start();
  isGone.restart();
  isGone.register('w');
  expect(isGone.stateOf('once')).toBe('erred');
  expect(isGone.runs).toHaveLength(1);
});

test('what a task was charged with and how often it may be retried is known to the next life', () => {
  const scheduler = aScheduler({ allowedFailures: 1 });
  scheduler.connect('me');
  scheduler.register('w1');
  scheduler.submit('me', [aTask('x', { retries: 1 })]);
  scheduler.err('x');
  scheduler.lose('w1', { verdict: aVerdict('w1') });
  scheduler.restart();
  scheduler.register('w2');
  scheduler.err('x');
  expect(scheduler.stateOf('x')).toBe('erred');

  scheduler.retry('me', 'x');
  scheduler.restart();
  scheduler.tick(20_000);
  scheduler.register('w3');
  scheduler.lose('w3', { verdict: aVerdict('w3') });
  expect(scheduler.stateOf('x')).toBe('queued');
});

test('of a graph that was accepted everything is known that its client wants, wherever its commit stood', () => {
  const scheduler = aScheduler({ commitStepsMax: 1 });
  scheduler.connect('me');
  const keys = ['a', 'b', 'c', 'd'];
  let told = scheduler.submit(
    'me',
    keys.map((key) => aTask(key)),
  );
  while (!told.some((each) => each.type === 'send-to-client')) told = scheduler.tick();
  scheduler.restart();
  for (let i = 0; i < 20; i++) scheduler.tick();
  expect(scheduler.machine.wantsOf('me' as never)).toEqual(keys);
});

test('run ids of one life are not those of another', () => {
  const scheduler = atWork();
  const before = scheduler.runOf('c').runId;
  scheduler.restart();
  scheduler.tick(10_000);
  scheduler.register('w9');
  expect(scheduler.runs.at(-1)!.runId).toBeGreaterThan(before + 1_000_000);
});

test('runs that nobody needs any more are stopped', () => {
  const scheduler = aScheduler();
  scheduler.connect('me');
  scheduler.register('w');
  scheduler.submit('me', [aTask('x')]);
  const { runId } = scheduler.runOf('x');
  scheduler.release('me', 'x');
  scheduler.restart();
  const told = toWorker(scheduler.register('w', { executing: { x: runId } }), 'w');
  expect(told).toMatchObject([{ type: 'cancel-task', key: 'x', runId }]);
});

test('keys that a client let go of while nobody listened are let go of', () => {
  const scheduler = atWork();
  scheduler.restart();
  scheduler.resume('me', 'c', 'unknown');
  scheduler.tick(10_000);
  expect(scheduler.machine.wantsOf('me' as never)).toEqual(['c']);
});

test('a client that does not come back within its lease is forgotten with what it wanted', () => {
  const scheduler = atWork();
  scheduler.restart();
  scheduler.tick(30_000);
  expect(['a', 'b', 'c'].map((key) => scheduler.stateOf(key))).toEqual([
    'forgotten',
    'forgotten',
    'forgotten',
  ]);
});

test('data that was put on a worker and not announced is kept until its client has said so', () => {
  const scheduler = aScheduler();
  scheduler.connect('me');
  scheduler.register('w');
  scheduler.register('w2');
  scheduler.submit('me', [aTask('x')]);
  scheduler.restart();
  expect(toWorker(scheduler.register('w', { holdings: { data: 100 } }), 'w')).toEqual([]);
  scheduler.resume('me', 'x');
  scheduler.scatter('me', 'data', 100, 'w');
  scheduler.register('w2');
  expect(scheduler.stateOf('data')).toBe('memory');
});

test('an error is told again, and a submission that was accepted is not made twice', () => {
  const scheduler = aScheduler();
  scheduler.connect('me');
  scheduler.register('w');
  scheduler.submit('me', [aTask('x'), aTask('y', { dependencies: ['x'] })], ['y'], 'g');
  scheduler.err('x', { mayRetry: false });
  scheduler.restart();
  expect(toClient(scheduler.resume('me', 'y'), 'me')).toMatchObject([{ type: 'key-erred', key: 'y' }]);
  const again = scheduler.submit('me', [aTask('x'), aTask('y', { dependencies: ['x'] })], ['y'], 'g');
  expect(toClient(again, 'me').map(({ type }) => type)).toContain('graph-accepted');
  expect(scheduler.runs).toHaveLength(1);
});

test('a journal that was cut off in the middle of a graph leaves tasks out whose inputs it does not know', () => {
  const scheduler = aScheduler();
  scheduler.connect('me');
  scheduler.handle({
    type: 'recover',
    records: [
      { type: 'scheduler-started', life: 1, lastSubmission: 1 },
      { type: 'tasks-made', submission: 1, tasks: [{ spec: aTask('y', { dependencies: ['x'] }), order: 1 }] },
      { type: 'task-finished', key: 'y' as never, nbytes: 1, workers: ['w'] },
    ],
  });
  expect(scheduler.stateOf('y')).toBe('forgotten');
  expect(scheduler.runOf('y').runId).toBe(asRunId(0));
});
