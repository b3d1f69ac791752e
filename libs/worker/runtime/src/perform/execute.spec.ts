import { asModuleHash, asRunId, asStimulusId, asTaskKey, type TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import type { TaskExecutor, ValueStore } from '@spillway/ports';
import type { WorkerEvent, WorkerInstruction } from '@spillway/worker-machine';
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
  answer: (how: Payload | undefined | Error) => Promise<void>;
} {
  const done: string[] = [];
  const events: WorkerEvent[] = [];
  const waiting: ((how: Payload | undefined | Error) => void)[] = [];
  const store = {
    peek: (key: TaskKey) => (inRam.includes(key) ? payload : undefined),
    load: () =>
      new Promise((resolve, reject) =>
        waiting.push((how) => (how instanceof Error ? reject(how) : resolve(how))),
      ),
  } as unknown as ValueStore;
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
  await answer(payload);
  expect(done).toEqual([]);
  expect(events).toEqual([
    { type: 'execute-stopped', stimulusId, key: x, runId, reason: 'timeout', started: false },
  ]);
});

test.each([
  ['freed meanwhile', undefined, 'Input y was lost'],
  ['not readable', new Error('bad checksum'), 'Input y could not be read on this worker: bad checksum'],
])('an input that is %s fails the run as lost data', async (_what, how, text) => {
  const { starter, done, events, answer } = aRig();
  starter.start(execute);
  await answer(how);
  expect(done).toEqual([]);
  expect(events).toMatchObject([{ type: 'execute-failure', key: x, runId, error: { code: 'LOST_DATA' } }]);
  expect(JSON.stringify(events[0])).toContain(text);
});
