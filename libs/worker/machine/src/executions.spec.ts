import { must } from '@spillway/kernel';
import type { RemoteError, WorkerToScheduler } from '@spillway/messages';
import type { WorkerInstruction } from './instructions.js';
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
  runawayGrowth,
  tick,
} from './testing/index.js';

let worker: Rehearsal;
beforeEach(() => {
  worker = new Rehearsal(aWorker());
});

type Erred = Extract<WorkerToScheduler, { type: 'task-erred' }>;

function erred(instructions: readonly WorkerInstruction[]): Erred {
  const messages = instructions.flatMap((each) => (each.type === 'send-to-scheduler' ? [each.message] : []));
  return must(
    messages.find((message): message is Erred => message.type === 'task-erred'),
    'task-erred',
  );
}
const errorOf = (instructions: readonly WorkerInstruction[]): RemoteError => erred(instructions).error;

describe('outcomes', () => {
  test('a small result rides on the answer', () => {
    worker.tell(computeTask('x'));
    const inline = { encoding: 'json', data: new Uint8Array([52, 50]) } as const;

    const [instruction] = worker.instructions({ ...executeSuccess('x'), inline });

    expect(instruction).toMatchObject({
      type: 'send-to-scheduler',
      message: { type: 'task-finished', inline },
    });
  });

  test('an error of the task is passed on as it is', () => {
    worker.tell(computeTask('x'));
    const failure = executeFailure('x', { mayRetry: false });

    expect(erred(worker.instructions(failure))).toMatchObject({ error: failure.error, mayRetry: false });
    expect(worker.state('x')).toBe('erred');
  });

  test('a result that came before the word to stop was heard is an answer like any other', () => {
    worker.tell(computeTask('x', { timeoutMs: 100 }));
    worker.wait(100);

    expect(worker.tell(executeSuccess('x'))).toEqual([
      'send-to-scheduler task-finished x run=1 size=10 ms=1',
    ]);
  });

  test('of attempts nobody knows answer nothing, and their results are freed', () => {
    expect(worker.tell(executeSuccess('x', { runId: 9 }))).toEqual(['free-values x']);
    expect(
      worker.tell(executeFailure('x', { runId: 9 }), executeStopped('x', 'timeout', { runId: 9 })),
    ).toEqual([]);
    worker.tell(dataPut('y'));
    expect(worker.tell(executeSuccess('y', { runId: 9 }))).toEqual([]);
  });

  test('of an attempt that was taken back are not answered, and its result is freed', () => {
    worker.tell(computeTask('x'), cancelTask('x'));

    expect(worker.tell(executeSuccess('x'))).toEqual(['free-values x']);
    expect(worker.state('x')).toBeUndefined();
  });

  test('a task that lost its thread before its turn starts again, as the same run', () => {
    worker.tell(computeTask('a', { expectedMs: 1 }), computeTask('b', { expectedMs: 1 }));

    expect(worker.tell(executeFailure('a'))).toHaveLength(1);
    expect(worker.tell(executeStopped('b', 'thread-ended', { started: false }))).toEqual([
      'execute b run=1 slot=0',
    ]);
  });

  test('a task that lost its thread, and meanwhile an input, fetches that again', () => {
    worker.tell(dataPut('i'), computeTask('a', { expectedMs: 1 }));
    worker.tell(computeTask('b', { expectedMs: 1, dependencies: [aDependency('i')] }), freeKeys('i'));

    expect(worker.tell(executeStopped('b', 'thread-ended', { started: false }))).toEqual([
      'send-to-scheduler request-who-has i',
    ]);
    expect(worker.state('b')).toBe('waiting');
  });

  test('a task whose thread ended under it has failed', () => {
    worker.tell(computeTask('x'));

    expect(errorOf(worker.instructions(executeStopped('x', 'thread-ended')))).toMatchObject({
      code: 'TASK_FAILED',
      details: { key: 'x', runId: '1', attempt: '1' },
    });
  });

  test('a task that was stopped though nobody here asked for it goes back to the scheduler', () => {
    worker.tell(computeTask('x'));

    expect(worker.tell(executeStopped('x', 'cancelled'))).toEqual([
      'send-to-scheduler task-handed-back x run=1 (Its execution was stopped)',
    ]);
    expect(worker.state('x')).toBeUndefined();
  });
});

describe('timeout', () => {
  test('the machine wants to be woken when the head runs out of time, and stops it once', () => {
    worker.tell(computeTask('x', { timeoutMs: 100 }));
    expect(worker.machine.nextWakeMs).toBe(100);

    expect(worker.wait(99)).toEqual([]);
    expect(worker.wait(1)).toEqual(['stop-execution x run=1 slot=0 reason=timeout']);
    expect(worker.machine.nextWakeMs).toBeUndefined();
    expect(worker.wait(1000)).toEqual([]);
  });

  test('the error says how long it was allowed to run and how long it ran', () => {
    worker.tell(computeTask('x', { timeoutMs: 100 }));
    worker.wait(130);
    worker.nowMs += 20;

    const answer = erred(worker.instructions(executeStopped('x', 'timeout')));

    expect(answer).toMatchObject({
      mayRetry: true,
      error: { code: 'TASK_TIMEOUT', details: { timeoutMs: '100', ranMs: '150', key: 'x' } },
    });
    expect(answer.error.message).toContain('timeout of 100 ms and was stopped after 150 ms');
  });

  test('a cancelled task is not stopped a second time for its timeout', () => {
    worker.tell(computeTask('x', { timeoutMs: 100 }), cancelTask('x'));

    expect(worker.wait(200)).toEqual([]);
  });
});

describe('runaway growth', () => {
  test('ends the head of the slot, and the error says how much memory there was', () => {
    worker.tell(computeTask('x'));

    expect(worker.tell(runawayGrowth(0, 950, 1000))).toEqual([
      'stop-execution x run=1 slot=0 reason=out-of-memory',
    ]);
    expect(worker.tell(runawayGrowth(0, 960, 1000))).toEqual([]);
    const answer = erred(worker.instructions(executeStopped('x', 'out-of-memory')));
    expect(answer).toMatchObject({
      mayRetry: false,
      error: { code: 'TASK_OUT_OF_MEMORY', details: { processBytes: '950', limitBytes: '1000' } },
    });
    expect(answer.error.message).toContain('950 of 1000 bytes');
  });

  test('a thread that found its heap full by itself has no bytes to report', () => {
    worker.tell(computeTask('x'));

    const error = errorOf(worker.instructions(executeStopped('x', 'out-of-memory')));

    expect(error).toMatchObject({ code: 'TASK_OUT_OF_MEMORY', details: { key: 'x' } });
    expect(error.details).not.toHaveProperty('processBytes');
  });

  test('in an empty or unknown slot changes nothing', () => {
    expect(worker.tell(runawayGrowth(0), runawayGrowth(99))).toEqual([]);
  });
});

test('erred tasks are kept for questions, the oldest making room', () => {
  worker = new Rehearsal(aWorker({ erredTasksMax: 2 }));
  for (const key of ['a', 'b', 'c']) worker.tell(computeTask(key), executeFailure(key));

  expect(['a', 'b', 'c'].map((key) => worker.state(key))).toEqual([undefined, 'erred', 'erred']);
});

test('tasks start in the order of their priority, whenever they came', () => {
  worker.tell(computeTask('first'));
  worker.tell(computeTask('c', { priority: [0, 0, 3] }), computeTask('a', { priority: [0, 0, 1] }));
  worker.tell(computeTask('b', { priority: [0, 0, 2] }), computeTask('urgent', { priority: [-1, 9, 9] }));

  const started = ['first', 'urgent', 'a', 'b'].flatMap((key) =>
    worker.tell(executeSuccess(key), tick()).filter((line) => line.startsWith('execute')),
  );

  expect(started).toEqual(['urgent', 'a', 'b', 'c'].map((key) => `execute ${key} run=1 slot=0`));
});
