import {
  Rehearsal,
  aDependency,
  aWorker,
  cancelTask,
  computeTask,
  dataPut,
  executeFailure,
  executeStopped,
  executeSuccess,
  freeKeys,
  gatherSuccess,
} from './testing/index.js';

let worker: Rehearsal;
beforeEach(() => {
  worker = new Rehearsal(aWorker());
});

describe('compute-task', () => {
  test('of a key in memory is answered at once, without running anything', () => {
    worker.tell(dataPut('x', 40));

    expect(worker.tell(computeTask('x', { runId: 7, dependencies: [aDependency('a', ['p'])] }))).toEqual([
      'send-to-scheduler task-finished x run=7 size=40 ms=0',
    ]);
    expect(worker.state('a')).toBeUndefined();
  });

  test('said twice counts once', () => {
    worker.tell(computeTask('x'));

    expect(worker.tell(computeTask('x'))).toEqual([]);
    expect(worker.tell(executeSuccess('x'))).toEqual([
      'send-to-scheduler task-finished x run=1 size=10 ms=1',
    ]);
  });

  test('of a key being fetched makes it here instead, and drops what arrives', () => {
    worker.tell(computeTask('y', { dependencies: [aDependency('x', ['p'])] }));

    expect(worker.tell(computeTask('x', { runId: 2 }))).toEqual(['execute x run=2 slot=0']);
    expect(worker.tell(gatherSuccess('p', { x: 10 }))).toEqual(['free-values x']);
    expect(worker.tell(executeSuccess('x', { runId: 2 }))).toEqual([
      'send-to-scheduler task-finished x run=2 size=10 ms=1',
      'execute y run=1 slot=0',
    ]);
  });

  test('that supersedes an attempt waits until that has ended, on a free slot too', () => {
    worker = new Rehearsal(aWorker({ slotCount: 2 }));
    worker.tell(computeTask('x', { runId: 1 }), computeTask('x', { runId: 2 }));
    expect(worker.state('x')).toBe('ready');

    expect(worker.tell(executeStopped('x', 'cancelled', { runId: 1 }))).toEqual(['execute x run=2 slot=0']);
  });

  test('that supersedes a task with inputs lets go of those that the new one does not take', () => {
    worker.tell(computeTask('x', { dependencies: [aDependency('a', ['p']), aDependency('b', ['p'])] }));

    worker.tell(computeTask('x', { runId: 2, dependencies: [aDependency('b', ['p'])] }));

    expect(worker.state('a')).toBeUndefined();
    expect(worker.state('b')).toBe('fetch');
  });

  test('with an input that is being made here waits for it and asks nobody', () => {
    expect(
      worker.tell(computeTask('x'), computeTask('y', { dependencies: [aDependency('x', ['p'])] })),
    ).toEqual(['execute x run=1 slot=0']);

    expect(worker.tell(executeSuccess('x'))).toContain('execute y run=1 slot=0');
  });

  test('with an input that fails here looks for it elsewhere', () => {
    worker.tell(computeTask('x'), computeTask('y', { dependencies: [aDependency('x')] }));

    expect(worker.tell(executeFailure('x'))).toEqual([
      'send-to-scheduler task-erred x run=1 TASK_FAILED retry=yes',
      'send-to-scheduler request-who-has x',
    ]);
  });

  test('names an input twice: it is waited for once', () => {
    worker.tell(computeTask('x', { dependencies: [aDependency('a', ['p']), aDependency('a', ['p'])] }));

    expect(worker.tell(gatherSuccess('p', { a: 10 }))).toContain('execute x run=1 slot=0');
  });
});

describe('cancel-task', () => {
  test('of a task that has not started: it is gone, with the fetches for it', () => {
    worker.tell(computeTask('x', { dependencies: [aDependency('a')] }));

    expect(worker.tell(cancelTask('x'))).toEqual([]);
    expect(worker.state('x')).toBeUndefined();
    expect(worker.state('a')).toBeUndefined();
  });

  test('of another attempt does nothing', () => {
    worker.tell(computeTask('x', { runId: 2 }));

    expect(worker.tell(cancelTask('x', 1))).toEqual([]);
    expect(worker.state('x')).toBe('executing');
  });

  test('of a task that has finished does nothing', () => {
    worker.tell(computeTask('x'), executeSuccess('x'));

    expect(worker.tell(cancelTask('x'))).toEqual([]);
    expect(worker.state('x')).toBe('memory');
  });

  test('keeps a key that another task here needs: it is looked for elsewhere', () => {
    worker.tell(computeTask('long'), computeTask('x'));
    worker.tell(computeTask('y', { dependencies: [aDependency('x')] }));

    expect(worker.tell(cancelTask('x'))).toEqual(['send-to-scheduler request-who-has x']);
  });

  test('keeps inputs that have come already: the scheduler knows of them', () => {
    worker.tell(computeTask('long'), computeTask('x', { dependencies: [aDependency('a', ['p'])] }));
    worker.tell(gatherSuccess('p', { a: 10 }), cancelTask('x'));

    expect(worker.state('a')).toBe('memory');
  });
});

describe('free-keys', () => {
  test('frees values in one instruction, and knows nothing of the keys afterwards', () => {
    worker.tell(dataPut('x'), dataPut('y'));

    expect(worker.tell(freeKeys('x', 'unknown', 'y', 'x'))).toEqual(['free-values x y']);
    expect(worker.machine.countsByState().memory).toBe(0);
  });

  test('of a task together with its input leaves nothing, in whichever order they are named', () => {
    for (const keys of [
      ['x', 'a'],
      ['a', 'x'],
    ]) {
      worker = new Rehearsal(aWorker());
      worker.tell(dataPut('a'), computeTask('long'), computeTask('x', { dependencies: [aDependency('a')] }));

      expect(worker.tell(freeKeys(...keys))).toEqual(['free-values a']);
      expect(worker.state('x')).toBeUndefined();
      expect(worker.state('a')).toBeUndefined();
    }
  });

  test('of an input that a thread has already been given does not disturb it', () => {
    worker.tell(dataPut('a'), computeTask('x', { dependencies: [aDependency('a')] }));

    expect(worker.tell(freeKeys('a'))).toEqual(['free-values a']);
    expect(worker.state('x')).toBe('executing');
  });
});

describe('data-put', () => {
  test('of a key in memory changes nothing', () => {
    worker.tell(dataPut('x', 10), dataPut('x', 99));

    expect(worker.machine.holdings()).toEqual([{ key: 'x', nbytes: 10 }]);
  });

  test('of an erred key brings it back', () => {
    worker.tell(computeTask('x'), executeFailure('x'));

    expect(worker.tell(dataPut('x'))).toEqual([]);
    expect(worker.state('x')).toBe('memory');
  });
});
