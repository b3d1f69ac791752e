import {
  Rehearsal,
  aDependency,
  aWorker,
  cancelTask,
  computeTask,
  dataPut,
  executeStopped,
  executeSuccess,
  gatherSuccess,
  handBackUnstarted,
  sessionBegun,
  sessionLost,
  setAdmission,
  setRoom,
  slotStuck,
  retireWorker,
  statusChange,
} from './testing/index.js';

let worker: Rehearsal;
beforeEach(() => {
  worker = new Rehearsal(aWorker());
});

describe('a retiring worker', () => {
  test('finishes what runs, hands back what does not, and fetches and starts nothing more', () => {
    const far = [aDependency('a', ['p'])];
    worker.tell(computeTask('runs'), computeTask('ready'));

    expect(worker.tell(retireWorker())).toEqual([
      'send-to-scheduler task-handed-back ready run=1 (The worker retires)',
    ]);
    expect(worker.tell(computeTask('late', { dependencies: far }))).toEqual([
      'send-to-scheduler task-handed-back late run=1 (The worker retires)',
    ]);
    expect(worker.tell(executeSuccess('runs'))).toEqual([
      'send-to-scheduler task-finished runs run=1 size=10 ms=1',
    ]);
  });

  test('does not come back when its memory is better, and says so in a new session', () => {
    worker.tell(statusChange('paused'), retireWorker());

    expect(worker.tell(statusChange('running'))).toEqual([]);
    expect(worker.machine.status).toBe('retiring');
    expect(worker.tell(sessionLost(), sessionBegun())).toEqual([
      'send-to-scheduler worker-status-change retiring',
    ]);
  });
});

describe('a paused worker', () => {
  test('finishes what its threads have been given, packs included, and starts nothing', () => {
    worker.tell(computeTask('a', { expectedMs: 1 }), computeTask('b', { expectedMs: 1 }), computeTask('c'));
    worker.tell(statusChange('paused'));

    expect(worker.tell(executeSuccess('a'), executeSuccess('b'))).toEqual([
      'send-to-scheduler task-finished a run=1 size=10 ms=1',
      'send-to-scheduler task-finished b run=1 size=10 ms=1',
    ]);
    expect(worker.state('c')).toBe('ready');
  });

  test('running again in time, goes on with what it kept', () => {
    worker.tell(statusChange('paused'), computeTask('x'));

    expect(worker.tell(statusChange('running'))).toEqual([
      'send-to-scheduler worker-status-change running',
      'execute x run=1 slot=0',
    ]);
  });

  test('keeps unstarted tasks until it is told to hand them back', () => {
    worker.tell(statusChange('paused'), computeTask('x'));

    expect(worker.machine.nextWakeMs).toBeUndefined();
    expect(worker.wait(1_000_000)).toEqual([]);
    expect(worker.tell(handBackUnstarted())).toEqual([
      'send-to-scheduler task-handed-back x run=1 (The worker is paused)',
    ]);
  });

  test('that runs again by then hands nothing back, also when it pauses once more', () => {
    worker.tell(computeTask('x'), computeTask('y'), statusChange('paused'), statusChange('running'));

    expect(worker.tell(handBackUnstarted())).toEqual([]);
    worker.tell(statusChange('paused'));
    expect(worker.state('y')).toBe('ready');
  });

  test('runs what frees memory all the same, before all else', () => {
    worker.tell(dataPut('a'), statusChange('paused'), computeTask('x'), handBackUnstarted());

    expect(
      worker.tell(computeTask('sum', { evenIfPaused: true, dependencies: [aDependency('a', ['me'])] })),
    ).toEqual(['execute sum run=1 slot=0']);
    worker.tell(statusChange('running'), computeTask('y'), computeTask('z', { evenIfPaused: true }));
    expect(worker.tell(executeSuccess('sum'))).toContain('execute z run=1 slot=0');
  });

  test('hands back what frees memory, too, when its inputs are not here', () => {
    worker.tell(statusChange('paused'), handBackUnstarted());
    const far = [aDependency('a', ['p'])];

    expect(worker.tell(computeTask('sum', { evenIfPaused: true, dependencies: far }))).toEqual([
      'send-to-scheduler task-handed-back sum run=1 (The worker is paused)',
    ]);
  });

  test('says so in a new session, which takes it for running', () => {
    expect(worker.tell(sessionLost(), sessionBegun())).toEqual([]);
    worker.tell(statusChange('paused'), sessionLost());

    expect(worker.tell(sessionBegun())).toEqual(['send-to-scheduler worker-status-change paused']);
  });

  test('said twice is told once', () => {
    expect(worker.tell(statusChange('paused'), statusChange('paused'))).toEqual([
      'send-to-scheduler worker-status-change paused',
    ]);
  });

  test('gives back a task that waits for an older attempt to end, too', () => {
    worker.tell(computeTask('x', { runId: 1 }), computeTask('x', { runId: 2 }), statusChange('paused'));

    expect(worker.tell(handBackUnstarted())).toEqual([
      'send-to-scheduler task-handed-back x run=2 (The worker is paused)',
    ]);
    expect(worker.tell(executeStopped('x', 'cancelled', { runId: 1 }))).toEqual([]);
    expect(worker.state('x')).toBeUndefined();
  });
});

describe('admission', () => {
  beforeEach(() => {
    worker = new Rehearsal(aWorker({ slotCount: 2 }));
  });

  test('closed, starts nothing; what runs goes on, and opening it starts what waits', () => {
    worker.tell(computeTask('x'), setAdmission('closed'));

    expect(worker.tell(computeTask('y'))).toEqual([]);
    expect(worker.tell(executeSuccess('x'))).toEqual([
      'send-to-scheduler task-finished x run=1 size=10 ms=1',
    ]);
    expect(worker.tell(setAdmission('open'))).toEqual(['execute y run=1 slot=0']);
  });

  test('one at a time, starts a task only when no other runs, however many slots there are', () => {
    worker.tell(setAdmission('one-at-a-time'));

    expect(worker.tell(computeTask('x', { expectedMs: 1 }), computeTask('y', { expectedMs: 1 }))).toEqual([
      'execute x run=1 slot=0',
    ]);
    expect(worker.tell(executeSuccess('x'))).toContain('execute y run=1 slot=0');
  });

  test('lets in what there is room for: a result is in a heap and in shared memory at once', () => {
    worker.tell(setRoom(99));

    expect(
      worker.tell(computeTask('x', { expectedBytes: 80 }), computeTask('y', { expectedBytes: 20 })),
    ).toEqual(['execute x run=1 slot=0']);
    expect(worker.tell(setRoom(200))).toEqual(['execute y run=1 slot=1']);
  });

  test('lets in one task however little room there is, and beside it those that return little', () => {
    worker.tell(setRoom(0));

    expect(worker.tell(computeTask('x', { expectedBytes: 80 }), computeTask('y'))).toEqual([
      'execute x run=1 slot=0',
      'execute y run=1 slot=1',
    ]);
  });

  test('is no obstacle to what frees memory', () => {
    worker.tell(setAdmission('closed'));

    expect(worker.tell(computeTask('sum', { evenIfPaused: true }))).toEqual(['execute sum run=1 slot=0']);
  });
});

describe('a stuck slot', () => {
  test('whose task was cancelled costs that task no answer', () => {
    worker.tell(computeTask('x'), computeTask('y'), cancelTask('x'));

    const lines = worker.tell(slotStuck(0, 'x'));

    expect(lines.filter((line) => line.includes(' x run'))).toEqual([]);
    expect(lines[0]).toMatch(/^send-to-scheduler task-handed-back y run=1/);
    expect(lines.at(-1)).toMatch(
      /^recycle-worker \(Task x did not let go of its thread \(slot 0\) for 5000 ms/,
    );
  });

  test('whose task has been assigned anew gives the new run back', () => {
    worker.tell(computeTask('x', { runId: 1 }), computeTask('x', { runId: 2 }));

    expect(worker.tell(slotStuck(0, 'x'))[0]).toMatch(/^send-to-scheduler task-handed-back x run=2/);
  });

  test('gives back what waits behind it, in its thread and before it', () => {
    worker.tell(computeTask('x', { expectedMs: 1, timeoutMs: 50 }), computeTask('behind', { expectedMs: 1 }));
    worker.tell(computeTask('waiting', { dependencies: [aDependency('a', ['p'])] }));
    worker.wait(50);

    const answers = worker
      .tell(slotStuck(0, 'x'))
      .filter((line) => line.startsWith('send-to-scheduler task'));

    expect(answers.map((line) => line.split(' ').slice(1, 3).join(' '))).toEqual([
      'task-handed-back behind',
      'task-handed-back waiting',
      'task-erred x',
    ]);
  });

  test('is reported once, and nothing starts or is fetched afterwards', () => {
    worker.tell(computeTask('x', { timeoutMs: 50 }));
    worker.wait(50);
    worker.tell(slotStuck(0, 'x'));

    expect(worker.tell(slotStuck(0, 'x'))).toEqual([]);
    expect(worker.tell(computeTask('y', { dependencies: [aDependency('a', ['p'])] }))).toEqual([
      'send-to-scheduler task-handed-back y run=1 (The worker is about to be replaced)',
    ]);
  });
});

describe('a lost session', () => {
  test('voids what has not begun without a word, goes on with what has, and keeps what is in memory', () => {
    worker.tell(dataPut('m'), computeTask('x'), computeTask('y'));
    worker.tell(computeTask('z', { dependencies: [aDependency('a', ['p'])] }));

    expect(worker.tell(sessionLost())).toEqual([]);

    expect(worker.machine.holdings()).toEqual([{ key: 'm', nbytes: 10 }]);
    expect(worker.machine.runs()).toEqual([{ key: 'x', runId: 1 }]);
    expect(worker.machine.nextWakeMs).toBeUndefined();
    expect(worker.tell(gatherSuccess('p', { a: 10 }))).toEqual(['free-values a']);
    expect(worker.tell(executeSuccess('x'))).toEqual([
      'send-to-scheduler task-finished x run=1 size=10 ms=1',
    ]);
    expect(worker.machine.runs()).toEqual([]);
  });

  test('is no reason to confuse an old attempt with one of the same number in the new session', () => {
    // A scheduler that does not know the run says so before anything else.
    worker.tell(
      computeTask('x', { runId: 1 }),
      sessionLost(),
      cancelTask('x'),
      computeTask('x', { runId: 1 }),
    );

    expect(worker.tell(executeSuccess('x', { runId: 1 }))).toEqual([
      'free-values x',
      'execute x run=1 slot=0',
    ]);
    expect(worker.tell(executeSuccess('x', { runId: 1 }))).toEqual([
      'send-to-scheduler task-finished x run=1 size=10 ms=1',
    ]);
  });
});
