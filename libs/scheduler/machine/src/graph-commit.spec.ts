import { asClientId, asSubmissionId, asTaskKey } from '@spillway/kernel';
import { aScheduler, aTask, toClient, type TestScheduler } from './testing/index.js';

function cluster(options: Parameters<typeof aScheduler>[0] = {}): TestScheduler {
  const scheduler = aScheduler(options);
  scheduler.connect('c');
  scheduler.connect('d');
  return scheduler;
}

const refusalOf = (instructions: ReturnType<TestScheduler['submit']>): unknown =>
  toClient(instructions, 'c').flatMap((each) => (each.type === 'graph-refused' ? [each.error] : []))[0];

function finishCommits(scheduler: TestScheduler): ReturnType<TestScheduler['submit']> {
  const instructions = [];
  while (scheduler.machine.nextWakeMs === scheduler.nowMs) instructions.push(...scheduler.tick());
  return instructions;
}

test('an accepted graph is told before the news of its keys', () => {
  const scheduler = cluster();
  scheduler.register('w');
  scheduler.submit('d', [aTask('x')]);
  scheduler.finish('x');

  expect(toClient(scheduler.submit('c', [aTask('x')]), 'c').map((each) => each.type)).toEqual([
    'graph-accepted',
    'key-in-memory',
  ]);
});

test('what the parts of a graph want is wanted together with what its commit wants', () => {
  const scheduler = cluster();
  const whose = { clientId: asClientId('c'), submissionId: asSubmissionId('g') };
  const [a, b, x] = [asTaskKey('a'), asTaskKey('b'), asTaskKey('x')];
  scheduler.handle({ type: 'graph-part', ...whose, partIndex: 0, tasks: [aTask('a')], wants: [a, b] });
  // Part of the graph already, so it counts once.
  scheduler.handle({ type: 'graph-part', ...whose, partIndex: 0, tasks: [], wants: [asTaskKey('twice')] });
  scheduler.handle({
    type: 'graph-part',
    ...whose,
    partIndex: 1,
    tasks: [aTask('b'), aTask('x'), aTask('idle')],
  });
  expect(scheduler.machine.wantsOf(whose.clientId)).toEqual([]);

  scheduler.handle({ type: 'graph-commit', ...whose, partCount: 2, wants: [x] });

  expect(scheduler.machine.wantsOf(whose.clientId)).toEqual([a, b, x]);
  expect(scheduler.stateOf('idle')).toBe('forgotten');
});

test('a graph that was accepted and is submitted again in parts is wanted again, and not made again', () => {
  const scheduler = cluster();
  const parts = [
    { tasks: [aTask('a')], wants: ['a'] },
    { tasks: [aTask('b', { dependencies: ['a'] })], wants: ['b'] },
  ];
  scheduler.submitInParts('c', 'g', parts);
  scheduler.desire('d', 'b');
  scheduler.release('c', 'a', 'b');

  expect(toClient(scheduler.submitInParts('c', 'g', parts), 'c')).toMatchObject([{ type: 'graph-accepted' }]);

  expect(scheduler.machine.wantsOf(asClientId('c'))).toEqual(['a', 'b']);
});

test('keys that are wanted and not committed are bounded as tasks are', () => {
  const scheduler = cluster({ stagedTasksMax: 3 });
  const part = { tasks: [aTask('a')], wants: ['a', 'k1', 'k2', 'k3'] };

  expect(refusalOf(scheduler.submitInParts('c', 'big', [part]))).toMatchObject({ code: 'LIMIT_EXCEEDED' });
  expect(refusalOf(scheduler.submitInParts('c', 'small', [{ ...part, wants: ['a'] }]))).toBeUndefined();
});

test('the same task of two clients runs once, and is kept until both let go', () => {
  const scheduler = cluster();
  scheduler.register('w');
  scheduler.submit('c', [aTask('x')]);
  scheduler.submit('d', [aTask('x', { priority: 3 })]);
  expect(scheduler.runs.length).toBe(1);

  scheduler.release('c', 'x');
  expect(scheduler.stateOf('x')).toBe('processing');
  scheduler.release('d', 'x');
  expect(scheduler.stateOf('x')).toBe('forgotten');
});

test('a key that is known with other content refuses the whole graph', () => {
  const scheduler = cluster();
  scheduler.submit('d', [aTask('x')]);

  const error = refusalOf(scheduler.submit('c', [aTask('fine'), aTask('x', { args: 1 })]));

  expect(error).toMatchObject({ code: 'KEY_CONFLICT', details: { key: 'x' } });
  expect(scheduler.stateOf('fine')).toBe('forgotten');
});

test('data that was scattered under a key conflicts with a task of that key', () => {
  const scheduler = cluster();
  scheduler.register('w');
  scheduler.scatter('d', 'x', 1, 'w');

  expect(refusalOf(scheduler.submit('c', [aTask('x')]))).toMatchObject({ code: 'KEY_CONFLICT' });
});

test('dependencies may come later in the graph, and a cycle is refused with its keys', () => {
  const scheduler = cluster();
  expect(refusalOf(scheduler.submit('c', [aTask('b', { dependencies: ['a'] }), aTask('a')]))).toBeUndefined();
  expect(scheduler.stateOf('b')).toBe('waiting');

  const cyclic = [aTask('p', { dependencies: ['q'] }), aTask('q', { dependencies: ['p'] }), aTask('r')];
  expect(refusalOf(scheduler.submit('c', cyclic))).toMatchObject({
    code: 'INVALID_GRAPH',
    details: { keys: 'p, q' },
  });
});

test('places in the graph are those of the submission, also when it had to be put in order', () => {
  const scheduler = cluster();
  scheduler.submit('c', [aTask('z', { dependencies: ['b'] }), aTask('b'), aTask('a')]);
  scheduler.register('w');

  expect(scheduler.runs.map((run) => run.key)).toEqual(['b']);
});

test('a dependency that nobody knows refuses the graph by name, and so does a wanted key', () => {
  const scheduler = cluster();
  expect(refusalOf(scheduler.submit('c', [aTask('x', { dependencies: ['gone'] })]))).toMatchObject({
    code: 'INVALID_GRAPH',
    details: { key: 'x', dependency: 'gone' },
  });
  expect(refusalOf(scheduler.submit('c', [aTask('x')], ['y']))).toMatchObject({ details: { key: 'y' } });
  expect(scheduler.machine.countsByState).toMatchObject({ released: 0, waiting: 0, queued: 0 });
});

test('a large graph is committed in slices, each of a few steps, and nothing starts before it is accepted', () => {
  const scheduler = cluster({ commitStepsMax: 10 });
  scheduler.register('w');
  scheduler.submit(
    'c',
    Array.from({ length: 40 }, (_, index) => aTask(`t${index}`)),
  );
  expect(scheduler.machine.nextWakeMs).toBe(0);
  expect(scheduler.machine.countsByState.released).toBeLessThanOrEqual(10);
  expect(scheduler.runs).toEqual([]);

  const told = toClient(finishCommits(scheduler), 'c');

  expect(told).toEqual([{ type: 'graph-accepted', submissionId: 'g1' }]);
  expect(scheduler.machine.countsByState).toMatchObject({ processing: 1, queued: 39 });
});

test('a refused graph leaves no trace, however many slices it took, and what another graph shares of it stays', () => {
  const scheduler = cluster({ commitStepsMax: 3 });
  scheduler.submit('c', [
    ...Array.from({ length: 10 }, (_, index) => aTask(`t${index}`)),
    aTask('bad', { dependencies: ['gone'] }),
  ]);
  scheduler.tick();
  scheduler.submit('d', [aTask('t1')]);

  const error = refusalOf(finishCommits(scheduler));

  expect(error).toMatchObject({ code: 'INVALID_GRAPH' });
  expect(scheduler.machine.countsByState).toMatchObject({ released: 0, queued: 1 });
  expect(scheduler.stateOf('t1')).toBe('queued');
});

test('a client that goes away in the middle of a commit leaves nothing behind', () => {
  const scheduler = cluster({ commitStepsMax: 3 });
  scheduler.submit(
    'c',
    Array.from({ length: 10 }, (_, index) => aTask(`t${index}`)),
  );
  for (let slices = 0; slices < 5; slices += 1) scheduler.tick();
  scheduler.close('c');

  expect(toClient(finishCommits(scheduler), 'c')).toEqual([]);
  expect(scheduler.machine.countsByState).toMatchObject({ released: 0, queued: 0, forgotten: 10 });
});

test('a dependency that its owner releases during the commit stays for the graph that needs it', () => {
  const scheduler = cluster({ commitStepsMax: 2 });
  scheduler.submit('d', [aTask('x')]);
  finishCommits(scheduler);
  scheduler.submit('c', [aTask('y', { dependencies: ['x'] }), aTask('z')]);
  scheduler.release('d', 'x');
  finishCommits(scheduler);

  expect([scheduler.stateOf('x'), scheduler.stateOf('y')]).toEqual(['queued', 'waiting']);
});

test('submitting the same graph again is answered again and runs nothing twice', () => {
  const scheduler = cluster();
  scheduler.register('w');
  for (let times = 0; times < 2; times += 1) {
    const told = toClient(scheduler.submit('c', [aTask('x')], ['x'], 'same'), 'c');
    expect(told).toEqual([{ type: 'graph-accepted', submissionId: 'same' }]);
  }
  expect(scheduler.runs.length).toBe(1);
});

test('a commit that counts other parts than have arrived is refused', () => {
  const scheduler = cluster();
  const instructions = scheduler.handle({
    type: 'graph-commit',
    clientId: asClientId('c'),
    submissionId: asSubmissionId('g'),
    partCount: 2,
    wants: [],
  });

  expect(refusalOf(instructions)).toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test('a client cannot stage more than its share; the graph is refused and the rest of its parts ignored', () => {
  const scheduler = cluster({ stagedTasksMax: 5 });
  const part = (partIndex: number, count: number): void => {
    scheduler.handle({
      type: 'graph-part',
      clientId: asClientId('c'),
      submissionId: asSubmissionId('g'),
      partIndex,
      tasks: Array.from({ length: count }, (_, index) => aTask(`${partIndex}-${index}`)),
    });
  };
  part(0, 3);
  part(1, 3);
  part(2, 3);
  const instructions = scheduler.handle({
    type: 'graph-commit',
    clientId: asClientId('c'),
    submissionId: asSubmissionId('g'),
    partCount: 3,
    wants: [asTaskKey('0-0')],
  });

  expect(refusalOf(instructions)).toMatchObject({ code: 'LIMIT_EXCEEDED' });
  expect(refusalOf(scheduler.submit('c', [aTask('small')]))).toBeUndefined();
});

test('modules are forgotten when the last task that refers to them is', () => {
  const scheduler = cluster();
  scheduler.submit('c', [aTask('a', { moduleHash: 'm' }), aTask('b', { moduleHash: 'm' })]);
  expect(scheduler.release('c', 'a').filter((each) => each.type === 'forget-modules')).toEqual([]);

  expect(scheduler.release('c', 'b').filter((each) => each.type === 'forget-modules')).toMatchObject([
    { moduleHashes: ['m'] },
  ]);
});
