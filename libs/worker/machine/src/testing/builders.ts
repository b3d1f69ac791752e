/** Short ways to make a worker machine and its events, for specs, golden scripts and the simulator. */
import { asRunId, asStimulusId, asTaskKey, asWorkerId } from '@spillway/kernel';
import {
  remoteError,
  type Dependency,
  type Priority,
  type TaskSpec,
  type WorkerStatus,
} from '@spillway/messages';
import type { Admission, WorkerEvent, WorkerOutcome } from '../events.js';
import { DEFAULT_LIMITS, type WorkerMachineOptions } from '../options.js';
import { WorkerMachine } from '../worker-machine.js';

export type EventOf<Type extends WorkerEvent['type']> = Extract<WorkerEvent, { type: Type }>;

const stimulusId = asStimulusId('test');

/** A machine that checks itself, with one slot and no transfer limit unless told otherwise. */
export function aWorker(options: Partial<WorkerMachineOptions> = {}): WorkerMachine {
  return new WorkerMachine({
    ...DEFAULT_LIMITS,
    workerId: asWorkerId('me'),
    slotCount: 1,
    transferBytesMax: false,
    seed: 1,
    validate: true,
    ...options,
  });
}

/** An input of 10 bytes, held by the named peers at `<peer>:1`. */
export function aDependency(key: string, holders: readonly string[] = [], nbytes = 10): Dependency {
  return {
    key: asTaskKey(key),
    nbytes,
    whoHas: holders.map((id) => ({ workerId: asWorkerId(id), address: `${id}:1` })),
  };
}

export function aSpec(key: string, overrides: Partial<TaskSpec> = {}): TaskSpec {
  return {
    key: asTaskKey(key),
    function: { kind: 'preinstalled', module: 'test', exportName: 'task' },
    args: { encoding: 'json', data: new Uint8Array(0) },
    dependencies: [],
    priority: 0,
    retries: 0,
    workers: [],
    allowOtherWorkers: false,
    timeoutMs: false,
    recompute: true,
    resultEncoding: 'json',
    ...overrides,
  };
}

export interface ComputeOptions {
  readonly runId?: number;
  readonly attempt?: number;
  readonly priority?: Priority;
  readonly expectedMs?: number;
  readonly expectedBytes?: number;
  readonly timeoutMs?: number | false;
  readonly dependencies?: readonly Dependency[];
  readonly evenIfPaused?: boolean;
}

export function computeTask(key: string, options: ComputeOptions = {}): EventOf<'compute-task'> {
  const dependencies = options.dependencies ?? [];
  return {
    type: 'compute-task',
    stimulusId,
    runId: asRunId(options.runId ?? 1),
    priority: options.priority ?? [0, 0, 0],
    attempt: options.attempt ?? 1,
    expectedMs: options.expectedMs,
    ...(options.expectedBytes === undefined ? {} : { expectedBytes: options.expectedBytes }),
    ...(options.evenIfPaused === true ? { evenIfPaused: true } : {}),
    spec: aSpec(key, {
      dependencies: dependencies.map((dependency) => dependency.key),
      timeoutMs: options.timeoutMs ?? false,
    }),
    dependencies,
  };
}

export const cancelTask = (key: string, runId = 1): EventOf<'cancel-task'> => ({
  type: 'cancel-task',
  stimulusId,
  key: asTaskKey(key),
  runId: asRunId(runId),
});

export const freeKeys = (...keys: readonly string[]): EventOf<'free-keys'> => ({
  type: 'free-keys',
  stimulusId,
  keys: keys.map(asTaskKey),
});

export const acquireReplicas = (...replicas: readonly Dependency[]): EventOf<'acquire-replicas'> => ({
  type: 'acquire-replicas',
  stimulusId,
  replicas,
});

export const refreshWhoHas = (...dependencies: readonly Dependency[]): EventOf<'refresh-who-has'> => ({
  type: 'refresh-who-has',
  stimulusId,
  dependencies,
});

export const peerLost = (peer: string): EventOf<'peer-lost'> => ({
  type: 'peer-lost',
  stimulusId,
  workerId: asWorkerId(peer),
});

export const executeSuccess = (
  key: string,
  options: { runId?: number; nbytes?: number; durationMs?: number } = {},
): EventOf<'execute-success'> => ({
  type: 'execute-success',
  stimulusId,
  key: asTaskKey(key),
  runId: asRunId(options.runId ?? 1),
  nbytes: options.nbytes ?? 10,
  durationMs: options.durationMs ?? 1,
});

export const executeFailure = (
  key: string,
  options: { runId?: number; code?: 'TASK_FAILED' | 'TASK_EXITED'; mayRetry?: boolean } = {},
): EventOf<'execute-failure'> => ({
  type: 'execute-failure',
  stimulusId,
  key: asTaskKey(key),
  runId: asRunId(options.runId ?? 1),
  error: remoteError(options.code ?? 'TASK_FAILED', `Task ${key} threw`),
  mayRetry: options.mayRetry ?? true,
});

export const executeStopped = (
  key: string,
  reason: EventOf<'execute-stopped'>['reason'],
  options: { runId?: number; started?: boolean } = {},
): EventOf<'execute-stopped'> => ({
  type: 'execute-stopped',
  stimulusId,
  key: asTaskKey(key),
  runId: asRunId(options.runId ?? 1),
  reason,
  started: options.started ?? true,
});

type Sizes = Readonly<Record<string, number>>;
const holdings = (sizes: Sizes): { key: ReturnType<typeof asTaskKey>; nbytes: number }[] =>
  Object.entries(sizes).map(([key, nbytes]) => ({ key: asTaskKey(key), nbytes }));

export const gatherSuccess = (
  peer: string,
  arrived: Sizes,
  missing: readonly string[] = [],
): EventOf<'gather-success'> => ({
  type: 'gather-success',
  stimulusId,
  peerId: asWorkerId(peer),
  arrived: holdings(arrived),
  missing: missing.map(asTaskKey),
});

export const gatherBusy = (peer: string): EventOf<'gather-busy'> => ({
  type: 'gather-busy',
  stimulusId,
  peerId: asWorkerId(peer),
});

export const gatherNetworkFailure = (
  peer: string,
  arrived: Sizes = {},
): EventOf<'gather-network-failure'> => ({
  type: 'gather-network-failure',
  stimulusId,
  peerId: asWorkerId(peer),
  arrived: holdings(arrived),
  message: 'connection reset',
});

export const dataPut = (key: string, nbytes = 10): EventOf<'data-put'> => ({
  type: 'data-put',
  stimulusId,
  key: asTaskKey(key),
  nbytes,
});

export const valuesAdopted = (values: Readonly<Record<string, number>>): EventOf<'values-adopted'> => ({
  type: 'values-adopted',
  stimulusId,
  values: holdings(values),
});

export const statusChange = (status: WorkerStatus): EventOf<'status-change'> => ({
  type: 'status-change',
  stimulusId,
  status,
});

export const valuesLost = (...keys: readonly string[]): EventOf<'values-lost'> => ({
  type: 'values-lost',
  stimulusId,
  keys: keys.map(asTaskKey),
});

export const setAdmission = (admission: Admission): EventOf<'set-admission'> => ({
  type: 'set-admission',
  stimulusId,
  admission,
});

export const setRoom = (roomBytes: number | false): EventOf<'set-room'> => ({
  type: 'set-room',
  stimulusId,
  roomBytes,
});

export const retireWorker = (): EventOf<'retire-worker'> => ({ type: 'retire-worker', stimulusId });

export const handBackUnstarted = (): EventOf<'hand-back-unstarted'> => ({
  type: 'hand-back-unstarted',
  stimulusId,
});

export const slotStuck = (slot: number, key: string, forMs = 5000): EventOf<'slot-stuck'> => ({
  type: 'slot-stuck',
  stimulusId,
  slot,
  key: asTaskKey(key),
  forMs,
});

export const limitChanged = (transferBytesMax: number | false): EventOf<'limit-changed'> => ({
  type: 'limit-changed',
  stimulusId,
  transferBytesMax,
});

export const runawayGrowth = (
  slot: number,
  processBytes = 900,
  limitBytes = 1000,
): EventOf<'runaway-growth'> => ({ type: 'runaway-growth', stimulusId, slot, processBytes, limitBytes });

export const sessionLost = (): EventOf<'session-lost'> => ({ type: 'session-lost', stimulusId });
export const sessionBegun = (): EventOf<'session-begun'> => ({ type: 'session-begun', stimulusId });
export const tick = (): EventOf<'tick'> => ({ type: 'tick', stimulusId });

/** The same event with another cause. */
export function because<Event extends WorkerEvent | WorkerOutcome>(event: Event, cause: string): Event {
  return { ...event, stimulusId: asStimulusId(cause) };
}
