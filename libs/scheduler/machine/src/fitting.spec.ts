import type { SchedulerInstruction } from './instructions.js';
import { aScheduler, aTask, toClient, toWorker, type TestScheduler } from './testing/index.js';

const MIB = 1024 ** 2;

const errors = (instructions: readonly SchedulerInstruction[]): string[] =>
  toClient(instructions, 'c').flatMap((each) =>
    each.type === 'key-erred' ? [`${each.key} ${each.error.code}`] : [],
  );

const started = (instructions: readonly SchedulerInstruction[], worker: string): string[] =>
  toWorker(instructions, worker).flatMap((each) => (each.type === 'compute-task' ? [each.spec.key] : []));

/** Workers with these limits in MiB, and results `a` of 300 MiB and `b` of 200 MiB on the first of them. */
function withResults(limits: Readonly<Record<string, number | false>>): TestScheduler {
  const scheduler = aScheduler();
  scheduler.connect('c');
  for (const [worker, limit] of Object.entries(limits))
    scheduler.register(worker, { memoryLimitBytes: limit === false ? false : limit * MIB });
  const workers = Object.keys(limits).slice(0, 1);
  scheduler.submit('c', [aTask('a', { workers }), aTask('b', { workers })]);
  scheduler.finish('a', { nbytes: 300 * MIB });
  scheduler.finish('b', { nbytes: 200 * MIB });
  return scheduler;
}

const sum = (draft: Parameters<typeof aTask>[1] = {}) => aTask('sum', { dependencies: ['a', 'b'], ...draft });

/** A task without inputs, which takes a slot of the worker for long. */
function occupy(scheduler: TestScheduler, worker: string): string {
  const key = `long-${worker}`;
  scheduler.submit('c', [aTask(key, { workers: [worker], functionName: 'long' })]);
  return key;
}

test('a task whose inputs are larger together than every limit is refused: what, how large, and what now', () => {
  const scheduler = withResults({ w1: 400, w2: 450, w3: 450 });

  const instructions = scheduler.submit('c', [
    sum({ retries: 2 }),
    aTask('more', { dependencies: ['sum'] }),
    aTask('small', { dependencies: ['a'] }),
  ]);

  expect(errors(instructions)).toEqual(['sum TASK_OUT_OF_MEMORY', 'more DEPENDENCY_FAILED']);
  expect(toClient(instructions, 'c')).toContainEqual({
    type: 'key-erred',
    key: 'sum',
    error: {
      code: 'TASK_OUT_OF_MEMORY',
      message:
        'Task sum was not run: its 2 inputs of 500 MiB (524288000 bytes) in all would have to be in memory at once, and the ' +
        'largest limit of a worker that it may run on is 450 MiB (471859200 bytes), of w2. ' +
        'The largest inputs: a 300 MiB, b 200 MiB. ' +
        'Give workers more memory (fewer, larger ones), or combine the inputs in steps, a few at a time, as a tree.',
      details: {
        key: 'sum',
        inputs: '2',
        inputBytes: String(500 * MIB),
        largestInputs: JSON.stringify([
          { key: 'a', nbytes: 300 * MIB },
          { key: 'b', nbytes: 200 * MIB },
        ]),
        limitBytes: String(450 * MIB),
        workerId: 'w2',
        workerName: 'w2',
      },
    },
  });
  expect(scheduler.runOf('sum').workerId).toBe('nobody');
  expect(scheduler.stateOf('small')).toBe('processing');
});

test('of many inputs the three largest are named, and who only brings them together is told another way', () => {
  const scheduler = aScheduler();
  scheduler.connect('c');
  scheduler.register('w', { memoryLimitBytes: 100 * MIB, nthreads: 5 });
  const keys = ['p', 'q', 'r', 's', 't'];
  scheduler.submit(
    'c',
    keys.map((key) => aTask(key)),
  );
  for (const [index, key] of keys.entries()) scheduler.finish(key, { nbytes: (index + 20) * MIB });

  const [told] = toClient(
    scheduler.submit('c', [aTask('all', { dependencies: keys, retries: 1 })]),
    'c',
  ).flatMap((each) => (each.type === 'key-erred' ? [each.error.message] : []));

  expect(told).toContain('The largest inputs: t 24 MiB, s 23 MiB, r 22 MiB. ');
  expect(told).toMatch(
    / No other task depends on it: if it only brings a whole data set together, gather what it is made of instead\.$/,
  );
});

test('inputs as large as the limit fit, and results do not count', () => {
  const scheduler = withResults({ w1: 500 });

  expect(started(scheduler.submit('c', [sum()]), 'w1')).toEqual(['sum']);
});

test('it goes to the one worker that it fits, although others have its inputs or are less loaded', () => {
  const scheduler = withResults({ small: 400, large: 600 });
  scheduler.register('tiny', { memoryLimitBytes: 10 * MIB });

  const instructions = scheduler.submit('c', [sum()]);

  expect(started(instructions, 'large')).toEqual(['sum']);
});

test.each<[string, Parameters<TestScheduler['register']>[1]]>([
  ['without a limit', { memoryLimitBytes: false }],
  ['that is not ended for its memory', { memoryLimitBytes: 100 * MIB, isLimitEnforced: false }],
])('a worker %s takes inputs of any size', (_what, draft) => {
  const scheduler = withResults({ w1: 400 });
  scheduler.register('w2', draft);

  expect(started(scheduler.submit('c', [sum()]), 'w2')).toEqual(['sum']);
});

test('only workers that it may run on count, and where it may run on others too, those', () => {
  const scheduler = withResults({ w1: 400, w2: false });

  expect(errors(scheduler.submit('c', [sum({ workers: ['w1'] })]))).toEqual(['sum TASK_OUT_OF_MEMORY']);

  scheduler.release('c', 'sum');
  const instructions = scheduler.submit('c', [sum({ workers: ['w1'], allowOtherWorkers: true })]);
  expect(started(instructions, 'w2')).toEqual(['sum']);
});

test('it is charged with nothing: retried by a client once a larger worker is there, it runs', () => {
  const scheduler = withResults({ w1: 400 });
  scheduler.submit('c', [sum({ recompute: false })]);
  expect(scheduler.stateOf('sum')).toBe('erred');

  scheduler.register('w2', { memoryLimitBytes: 600 * MIB });

  expect(started(scheduler.retry('c', 'sum'), 'w2')).toEqual(['sum']);
});

describe('while it waits', () => {
  test('for a large worker that is busy, a small one with room takes what comes after it', () => {
    const scheduler = withResults({ small: 400, large: 600 });
    const long = occupy(scheduler, 'large');
    const instructions = scheduler.submit('c', [sum(), aTask('next', { dependencies: ['a'] })]);
    expect(started(instructions, 'small')).toEqual(['next']);
    expect(scheduler.stateOf('sum')).toBe('queued');

    expect(started(scheduler.finish(long), 'large')).toEqual(['sum']);
  });

  test('another large worker that registers takes it', () => {
    const scheduler = withResults({ small: 400, large: 600 });
    occupy(scheduler, 'large');
    scheduler.submit('c', [sum()]);

    expect(started(scheduler.register('larger'), 'larger')).toEqual(['sum']);
  });

  test('a small worker that registers does not, and takes what comes after it', () => {
    const scheduler = withResults({ large: 600 });
    occupy(scheduler, 'large');
    scheduler.submit('c', [sum(), aTask('next', { functionName: 'long' })]);
    expect(scheduler.stateOf('next')).toBe('queued');

    expect(started(scheduler.register('small', { memoryLimitBytes: 400 * MIB }), 'small')).toEqual(['next']);
    expect(scheduler.stateOf('sum')).toBe('queued');
  });

  test('the limit of its worker may grow, and it runs there', () => {
    const scheduler = withResults({ small: 400, large: 600 });
    occupy(scheduler, 'large');
    scheduler.submit('c', [sum()]);

    expect(started(scheduler.heartbeat('small', {}, { memoryLimitBytes: 500 * MIB }), 'small')).toEqual([
      'sum',
    ]);
  });

  test('the limit of its worker may shrink, and it is refused; what runs already is left alone', () => {
    const scheduler = withResults({ w: 600 });
    const long = occupy(scheduler, 'w');
    scheduler.submit('c', [sum()]);

    const instructions = scheduler.heartbeat('w', {}, { memoryLimitBytes: 400 * MIB });

    expect(errors(instructions)).toEqual(['sum TASK_OUT_OF_MEMORY']);
    expect(scheduler.stateOf(long)).toBe('processing');
  });

  test('the limit of its worker may have shrunk while that had no session', () => {
    const scheduler = withResults({ w: 600 });
    occupy(scheduler, 'w');
    scheduler.submit('c', [sum()]);

    const holdings = { a: 300 * MIB, b: 200 * MIB };
    const instructions = scheduler.register('w', { memoryLimitBytes: 400 * MIB, holdings });

    expect(errors(instructions)).toEqual(['sum TASK_OUT_OF_MEMORY']);
  });

  test('an input may be lost and come back larger: the worker that it waited for has other things to do', () => {
    const scheduler = withResults({ small: 400, large: 600 });
    const [here, there] = [occupy(scheduler, 'small'), occupy(scheduler, 'large')];
    scheduler.submit('c', [
      aTask('first', { dependencies: ['b'], workers: ['small'] }),
      aTask('use', { dependencies: ['a'] }),
      aTask('next', { dependencies: ['b'], workers: ['small'] }),
    ]);
    scheduler.loseReplicas('small', 'a');
    scheduler.finish(here);
    scheduler.finish('a', { nbytes: 500 * MIB });

    expect(started(scheduler.finish('first'), 'small')).toEqual(['next']);
    expect(scheduler.stateOf('use')).toBe('queued');
    expect(started(scheduler.finish(there), 'large')).toEqual(['use']);
  });

  test('its only large worker may pause: then it waits for that to go on', () => {
    const scheduler = withResults({ small: 400, large: 600 });
    scheduler.setStatus('large', 'paused');
    expect(errors(scheduler.submit('c', [sum()]))).toEqual([]);
    expect(scheduler.stateOf('sum')).toBe('no-worker');

    expect(started(scheduler.setStatus('large', 'running'), 'large')).toEqual(['sum']);
  });

  test.each<[string, (scheduler: TestScheduler) => readonly SchedulerInstruction[]]>([
    ['is lost', (scheduler) => scheduler.lose('large')],
    ['retires', (scheduler) => scheduler.setStatus('large', 'retiring')],
  ])('its only large worker, paused, %s: it is refused', (_what, leave) => {
    const scheduler = withResults({ small: 400, large: 600 });
    scheduler.setStatus('large', 'paused');
    scheduler.submit('c', [sum()]);

    expect(errors(leave(scheduler))).toEqual(['sum TASK_OUT_OF_MEMORY']);
  });

  test('with its only large worker paused and nothing moving, the cluster is stuck', () => {
    const scheduler = withResults({ small: 400, large: 600 });
    scheduler.setStatus('large', 'paused');
    scheduler.submit('c', [sum()]);

    expect(errors(scheduler.tick(30_000))).toEqual(['sum CLUSTER_MEMORY_STUCK']);
  });
});

test('without any running worker nothing is refused, and nothing too large is run to free memory', () => {
  const scheduler = withResults({ w: 400 });
  scheduler.setStatus('w', 'paused');
  scheduler.submit('c', [sum()]);
  scheduler.release('c', 'a', 'b');
  expect(scheduler.stateOf('sum')).toBe('queued');

  expect(errors(scheduler.setStatus('w', 'running'))).toEqual(['sum TASK_OUT_OF_MEMORY']);
});
