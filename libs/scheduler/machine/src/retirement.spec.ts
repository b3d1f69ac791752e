import { asWorkerId } from '@spillway/kernel';
import type { SchedulerInstruction } from './instructions.js';
import type { SchedulerMachineOptions } from './options.js';
import { aScheduler, aTask, toClient, toWorker, type TestScheduler } from './testing/index.js';

/** Running workers of one slot; `c` is there. */
function cluster(workers: readonly string[], options: SchedulerMachineOptions = {}): TestScheduler {
  const scheduler = aScheduler(options);
  scheduler.connect('c');
  for (const worker of workers) scheduler.register(worker);
  return scheduler;
}

/** Computes these on a worker, with the given sizes. */
function make(scheduler: TestScheduler, worker: string, sizes: Readonly<Record<string, number>>): void {
  const draft = { workers: [worker], allowOtherWorkers: true };
  for (const [key, nbytes] of Object.entries(sizes)) {
    scheduler.submit('c', [aTask(key, draft)]);
    scheduler.finish(key, { nbytes });
  }
}

const copies = (instructions: readonly SchedulerInstruction[], worker: string): string[] =>
  toWorker(instructions, worker).flatMap((message) =>
    message.type === 'acquire-replicas' ? message.replicas.map(({ key }) => key) : [],
  );

const ended = (instructions: readonly SchedulerInstruction[]): unknown[] =>
  instructions.flatMap((each) => (each.type === 'retirement-ended' ? [each.report] : []));

const told = (instructions: readonly SchedulerInstruction[], event: string): unknown[] =>
  instructions.flatMap((each) =>
    each.type === 'log-event' && each.event === event ? [{ ...each.fields, keys: each.keys }] : [],
  );

test('what would cost most to make again for each byte is copied first', () => {
  const scheduler = cluster(['w', 'other'], { copiesInFlightMax: 1 });
  scheduler.submit('c', [aTask('slow', { functionName: 'slow', workers: ['w'] })]);
  scheduler.finish('slow', { nbytes: 1_000, durationMs: 60_000 });
  scheduler.submit('c', [aTask('quick', { functionName: 'quick', workers: ['w'] })]);
  scheduler.finish('quick', { nbytes: 1_000, durationMs: 1 });
  scheduler.scatter('c', 'data', 1_000, 'w');

  expect(copies(scheduler.retire(['w']), 'other')).toEqual(['data']);
  expect(copies(scheduler.addReplica('other', 'data', 1_000), 'other')).toEqual(['slow']);
  expect(copies(scheduler.addReplica('other', 'slow', 1_000), 'other')).toEqual(['quick']);
  expect(ended(scheduler.addReplica('other', 'quick', 1_000))).toMatchObject([
    { name: 'w', outcome: 'retired', copiedCount: 3, copiedBytes: 3_000, recomputedCount: 0, lostCount: 0 },
  ]);
});

test('what a result would cost to make again includes inputs that are gone', () => {
  const scheduler = cluster(['w', 'other'], { copiesInFlightMax: 1 });
  scheduler.submit('c', [aTask('in', { functionName: 'slow', workers: ['w'] })]);
  scheduler.submit(
    'c',
    [
      aTask('last', { functionName: 'quick', dependencies: ['in'], workers: ['w'] }),
      aTask('alone', { functionName: 'medium', workers: ['w'] }),
    ],
    ['last', 'alone'],
  );
  scheduler.finish('in', { durationMs: 10_000 });
  scheduler.finish('last', { durationMs: 1 });
  scheduler.finish('alone', { durationMs: 100 });
  scheduler.release('c', 'in');
  expect(scheduler.stateOf('in')).toBe('released');

  expect(copies(scheduler.retire(['w']), 'other')).toEqual(['last']);
});

test('no worker has more on its way than it may, and another takes the rest', () => {
  const scheduler = cluster(['w', 'a', 'b'], { copyBytesInFlightMax: 250 });
  make(scheduler, 'w', { k1: 100, k2: 100, k3: 100, k4: 100, k5: 100 });

  const instructions = scheduler.retire(['w']);

  expect([copies(instructions, 'a').length, copies(instructions, 'b').length]).toEqual([2, 2]);
});

test('nothing is copied to a worker that would pause for it, or to one whose disk is full beyond its target', () => {
  const scheduler = cluster(['w']);
  make(scheduler, 'w', { large: 700 });
  scheduler.register('pauses', { memoryLimitBytes: 800 });
  scheduler.register('full', { memoryLimitBytes: 1_000 });
  scheduler.heartbeat('full', {}, { spillRefusedBecause: 'disk-full' });

  const instructions = scheduler.retire(['w']);

  expect([copies(instructions, 'pauses'), copies(instructions, 'full')]).toEqual([[], []]);
  expect(told(instructions, 'worker.retirement-blocked')).toEqual([
    {
      workerId: 'w',
      name: 'w',
      reason: 'no other worker has room',
      count: 1,
      deadlineMs: 60_000,
      keys: ['large'],
    },
  ]);
  expect(copies(scheduler.heartbeat('full'), 'full')).toEqual(['large']);
});

test.each<[string, (scheduler: TestScheduler) => readonly SchedulerInstruction[]]>([
  ['dies', (scheduler) => scheduler.lose('a')],
  ['pauses', (scheduler) => scheduler.setStatus('a', 'paused')],
  ['retires itself', (scheduler) => scheduler.retire(['a'])],
])('when the worker that is to fetch a copy %s, another is told', (_how, strike) => {
  const scheduler = cluster(['w', 'a']);
  make(scheduler, 'w', { x: 100 });
  expect(copies(scheduler.retire(['w']), 'a')).toEqual(['x']);
  scheduler.register('b');

  expect(copies(strike(scheduler), 'b')).toEqual(['x']);
});

test('a worker that begins another session is told to fetch again, and one that retires is told that it does', () => {
  const scheduler = cluster(['w', 'a']);
  make(scheduler, 'w', { x: 100 });
  scheduler.retire(['w']);

  expect(copies(scheduler.register('a'), 'a')).toEqual(['x']);
  const again = scheduler.register('w', { holdings: { x: 100 } });
  expect(toWorker(again, 'w')).toMatchObject([{ type: 'retire-worker' }]);
  expect(scheduler.machine.retirementOf(asWorkerId('w'), 0)).toMatchObject({ remainingCount: 1 });
});

test('a copy that arrives by another way is good as well', () => {
  const scheduler = cluster(['w', 'a', 'b']);
  make(scheduler, 'w', { x: 100 });
  scheduler.retire(['w']);
  scheduler.addReplica('b', 'x');
  scheduler.addReplica('a', 'x');

  expect(scheduler.machine.knowsWorker(asWorkerId('w'))).toBe(false);
});

test('a worker that has nothing that is needed goes at once', () => {
  const scheduler = cluster(['w', 'other']);
  make(scheduler, 'w', { x: 100 });
  scheduler.release('c', 'x');

  expect(ended(scheduler.retire(['w']))).toMatchObject([{ outcome: 'retired', copiedCount: 0 }]);
});

test('at the deadline runs are taken back, nobody is charged, and what was not copied is made again', () => {
  const scheduler = cluster(['w'], { allowedFailures: 0 });
  make(scheduler, 'w', { x: 100 });
  scheduler.submit('c', [aTask('running')]);
  scheduler.heartbeat('w', { running: 100 });
  scheduler.retire(['w'], 5_000);
  scheduler.tick(4_999);
  expect(scheduler.stateOf('running')).toBe('processing');

  const instructions = scheduler.tick(5_000);

  expect(ended(instructions)).toMatchObject([
    { outcome: 'retired', forMs: 5_000, takenBackCount: 1, recomputedCount: 1, lostCount: 0 },
  ]);
  expect([scheduler.stateOf('running'), scheduler.stateOf('x')]).toEqual(['queued', 'queued']);
  expect(instructions.filter(({ type }) => type === 'end-worker-session')).toHaveLength(1);
});

test('scattered data with nowhere to go is kept until the deadline, and then named; only what depends on it errs', () => {
  const scheduler = cluster(['w']);
  scheduler.scatter('c', 'data', 100, 'w');
  scheduler.submit('c', [
    aTask('user', { dependencies: ['data'], workers: ['nobody'] }),
    aTask('stranger', { workers: ['nobody'] }),
  ]);
  scheduler.retire(['w'], 5_000);
  scheduler.tick(4_999);
  expect(scheduler.stateOf('data')).toBe('memory');

  const instructions = scheduler.tick(5_000);

  expect(told(instructions, 'data.lost')).toMatchObject([{ name: 'w', count: 1, keys: ['data'] }]);
  expect(ended(instructions)).toMatchObject([{ lostCount: 1 }]);
  const erred = toClient(instructions, 'c').flatMap((each) =>
    each.type === 'key-erred' ? [`${each.key} ${each.error.cause?.code ?? each.error.code}`] : [],
  );
  expect(erred).toEqual(['data LOST_DATA', 'user LOST_DATA']);
  expect(scheduler.stateOf('stranger')).toBe('no-worker');
});

test('with all workers retiring it is said that data has nowhere to go, and a newcomer takes it', () => {
  const scheduler = cluster(['w', 'v']);
  make(scheduler, 'w', { x: 100 });
  make(scheduler, 'v', { y: 100 });

  const instructions = scheduler.retire(['w', 'v']);
  expect(told(instructions, 'worker.retirement-blocked')).toMatchObject([
    { name: 'w', reason: 'every other worker is retiring, or there is none' },
    { name: 'v' },
  ]);

  expect(copies(scheduler.register('new'), 'new').sort()).toEqual(['x', 'y']);
  scheduler.addReplica('new', 'x');
  expect(ended(scheduler.addReplica('new', 'y'))).toMatchObject([{ name: 'v', copiedCount: 1 }]);
  expect(scheduler.machine.listWorkers().map(({ name }) => name)).toEqual(['new']);
});

test('whoever asks itself does not wait for room where no worker stays, unless data would be lost for good', () => {
  const scheduler = cluster(['w']);
  make(scheduler, 'w', { x: 100 });
  scheduler.scatter('c', 'data', 100, 'w');

  expect(ended(scheduler.requestRetirement('w', { deadlineMs: 8_000 }))).toEqual([]);

  expect(ended(scheduler.release('c', 'data'))).toMatchObject([{ outcome: 'retired', recomputedCount: 1 }]);
});

test('what nobody has room for is left on disk where a successor takes it over, and waited for', () => {
  const scheduler = cluster(['w']);
  make(scheduler, 'w', { x: 100 });
  scheduler.register('tiny', { memoryLimitBytes: 10 });

  const instructions = scheduler.requestRetirement('w', { mayLeave: true });

  expect(ended(instructions)).toMatchObject([{ outcome: 'retired', leftCount: 1, recomputedCount: 0 }]);
  expect(instructions.find(({ type }) => type === 'end-worker-session')).toMatchObject({
    retired: { leavesValues: true },
  });
  expect(scheduler.stateOf('x')).toBe('awaited');
});

test('a worker that dies while it retires is told of as such, and its executing task is charged as always', () => {
  const scheduler = cluster(['w'], { allowedFailures: 0 });
  scheduler.submit('c', [aTask('x')]);
  scheduler.heartbeat('w', { x: 10 });
  scheduler.retire(['w']);

  expect(ended(scheduler.lose('w'))).toMatchObject([{ name: 'w', outcome: 'died' }]);
  expect(scheduler.stateOf('x')).toBe('erred');
});

test('of two deadlines the earlier counts', () => {
  const scheduler = cluster(['w']);
  make(scheduler, 'w', { x: 100 });
  scheduler.retire(['w'], 10_000);
  scheduler.retire(['w'], 60_000);
  expect(scheduler.machine.nextWakeMs).toBe(10_000);
  scheduler.retire(['w'], 2_000);
  expect(scheduler.machine.nextWakeMs).toBe(2_000);
});

test('queued tasks of a retiring worker look for another place, and what it hands back runs elsewhere', () => {
  const scheduler = cluster(['w', 'other']);
  const draft = { workers: ['w'], allowOtherWorkers: true };
  scheduler.submit('c', [aTask('running', draft), aTask('queued', draft)]);
  expect([scheduler.stateOf('running'), scheduler.stateOf('queued')]).toEqual(['processing', 'queued']);

  scheduler.retire(['w']);
  expect(scheduler.runOf('queued').workerId).toBe('other');

  scheduler.finish('queued');
  scheduler.handBack('running');
  expect(scheduler.runOf('running').workerId).toBe('other');
});

test('a copy that is needed no more is forgotten by the worker that looks for it', () => {
  const scheduler = cluster(['w', 'a']);
  make(scheduler, 'w', { x: 100 });
  scheduler.retire(['w']);
  scheduler.release('c', 'x');

  expect(toWorker(scheduler.reportMissing('a', 'x', 'w'), 'a')).toMatchObject([
    { type: 'free-keys', keys: ['x'] },
    { type: 'refresh-who-has' },
  ]);
});

test('before a restart nothing is copied: what runs ends, and all is left to the successor', () => {
  const scheduler = cluster(['w', 'other']);
  make(scheduler, 'w', { x: 100 });
  scheduler.submit('c', [aTask('running', { workers: ['w'] })]);

  const instructions = scheduler.requestRetirement('w', { leavesAll: true });
  expect([copies(instructions, 'other'), ended(instructions)]).toEqual([[], []]);

  expect(ended(scheduler.finish('running'))).toMatchObject([{ leftCount: 2, recomputedCount: 0 }]);
  expect([scheduler.stateOf('x'), scheduler.stateOf('running')]).toEqual(['awaited', 'awaited']);
  scheduler.register('w.2', { name: 'w', holdings: { x: 100, running: 100 } });
  expect([scheduler.stateOf('x'), scheduler.stateOf('running')]).toEqual(['memory', 'memory']);
});
