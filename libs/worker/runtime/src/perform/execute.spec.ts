import { asModuleHash, asRunId, asStimulusId, asTaskKey, type TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import type { TaskExecutor } from '@spillway/ports';
import type { WorkerEvent, WorkerInstruction } from '@spillway/worker-machine';
import type { ManagedStore } from '../memory/managed-store.js';
import { TaskStarter } from './execute.js';

type Execute = Extract<WorkerInstruction, { type: 'execute' }>;

const [x, y, z] = [asTaskKey('x'), asTaskKey('y'), asTaskKey('z')];
const payload: Payload = { encoding: 'bytes', data: new Uint8Array(1) };
const runId = asRunId(7);
const stimulusId = asStimulusId('test');

const execute: Execute = {
  type: 'execute',
  stimulusId,
  slot: 0,
  key: x,
  runId,
  attempt: 1,
  spec: {
    key: x,
    function: { kind: 'bundle', moduleHash: asModuleHash('m'), exportName: 'f' },
    args: payload,
    dependencies: [y, z],
    resultEncoding: 'v8',
    retries: 0,
    priority: 0,
    workers: [],
    allowOtherWorkers: false,
    recompute: true,
    timeoutMs: false,
  },
};
const stop = { type: 'stop-execution', stimulusId, slot: 0, key: x, runId, reason: 'timeout' } as const;

/** A store whose values are on disk but for `inRam`; loads end when told to. */
function aRig(inRam: readonly TaskKey[] = []): {
  starter: TaskStarter;
  done: string[];
  events: WorkerEvent[];
  pinned: string[];
  /** Of which keys the store was asked to load the value. */
  asked: TaskKey[];
  answer: (how: Payload | undefined | Error) => Promise<void>;
} {
  const pinned: string[] = [];
  const asked: TaskKey[] = [];
  const done: string[] = [];
  const events: WorkerEvent[] = [];
  const waiting: ((how: Payload | undefined | Error) => void)[] = [];
  const store = {
    peek: (key: TaskKey) => (inRam.includes(key) ? payload : undefined),
    load: (key: TaskKey) => {
      asked.push(key);
      return new Promise((resolve, reject) =>
        waiting.push((how) => (how instanceof Error ? reject(how) : resolve(how))),
      );
    },
    pin: (keys: readonly TaskKey[]) => pinned.push(...keys),
    unpin: (keys: readonly TaskKey[]) => keys.forEach((key) => pinned.splice(pinned.indexOf(key), 1)),
  } as unknown as ManagedStore;
  const executor = {
    execute: ({ key, inputs }: { key: TaskKey; inputs: readonly Payload[] }) =>
      done.push(`execute ${key} with ${inputs.length}`),
    stop: (_slot: number, key: TaskKey, _runId: number, reason: string) =>
      done.push(`stop ${key}: ${reason}`),
  } as unknown as TaskExecutor;
  const dispatcher = { dispatch: (event: WorkerEvent) => events.push(event), stimulus: () => stimulusId };
  return {
    starter: new TaskStarter(store, executor, dispatcher),
    done,
    events,
    pinned,
    asked,
    answer: async (how) => {
      waiting.shift()?.(how);
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    },
  };
}

test('inputs in RAM go to the slot at once, and a stop goes to the executor', () => {
  const { starter, done } = aRig([y, z]);
  starter.start(execute);
  starter.stop(stop);
  expect(done).toEqual(['execute x with 2', 'stop x: timeout']);
});

test('inputs that are not in RAM are loaded first', async () => {
  const { starter, done, answer } = aRig([y]);
  starter.start(execute);
  await answer(payload);
  expect(done).toEqual([]);
  await answer(payload);
  expect(done).toEqual(['execute x with 2']);
});

test('a task that is stopped while its inputs load never starts, and its run is reported stopped', async () => {
  const { starter, done, events, answer } = aRig();
  starter.start(execute);
  starter.stop(stop);
  expect(events).toEqual([]);
  await answer(payload);
  expect(done).toEqual([]);
  expect(events).toEqual([
    { type: 'execute-stopped', stimulusId, key: x, runId, reason: 'timeout', started: false },
  ]);
});

test('a task that is stopped for its memory loads no more of its inputs, and lets go of them', async () => {
  const { starter, events, pinned, asked, answer } = aRig();
  starter.start(execute);
  starter.stop({ ...stop, reason: 'out-of-memory' });
  await answer(payload);

  expect(asked).toEqual([y]);
  expect(events).toMatchObject([{ type: 'execute-stopped', reason: 'out-of-memory', started: false }]);
  expect(pinned).toEqual([]);
});

test('an input that is lost, damaged on disk or freed, sends the task back to be decided anew', async () => {
  const { starter, done, events, pinned, answer } = aRig();
  starter.start(execute);
  await answer(undefined);

  expect(done).toEqual([]);
  expect(events).toEqual([
    { type: 'execute-stopped', stimulusId, key: x, runId, reason: 'inputs-lost', started: false },
  ]);
  expect(pinned).toEqual([]);
});

test('an input that cannot be read now fails the run, which may be tried again', async () => {
  const { starter, done, events, pinned, answer } = aRig();
  starter.start(execute);
  await answer(new Error('too many open files'));

  expect(done).toEqual([]);
  expect(events).toMatchObject([
    { type: 'execute-failure', key: x, runId, mayRetry: true, error: { code: 'UNAVAILABLE' } },
  ]);
  expect(JSON.stringify(events[0])).toContain(
    'Input y could not be read on this worker: too many open files',
  );
  expect(pinned).toEqual([]);
});

describe('inputs stay in RAM', () => {
  test('from the start of a run, before they are loaded, until its outcome', async () => {
    const { starter, pinned, answer } = aRig([y]);
    starter.start(execute);
    expect(pinned).toEqual([y, z]);
    await answer(payload);
    expect(pinned).toEqual([y, z]);

    starter.ended({ key: x, runId });

    expect(pinned).toEqual([]);
  });

  test('for as long as one of two runs of the same number goes on', () => {
    const { starter, pinned } = aRig([y, z]);
    starter.start(execute);
    starter.start(execute);
    starter.ended({ key: x, runId });

    expect(pinned).toEqual([y, z]);
  });

  test('no longer than that, however often the end is told', () => {
    const { starter, pinned } = aRig([y, z]);
    starter.start(execute);
    for (let times = 0; times < 3; times++) starter.ended({ key: x, runId });

    expect(pinned).toEqual([]);
  });
});
