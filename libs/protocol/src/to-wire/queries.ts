/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
/** Answers of the scheduler to queries, as they are written. */
import type { KeyInfo, RemoteError, SchedulerTaskStateName, WorkerInfo } from '@spillway/messages';
import type { TaskKey } from '@spillway/kernel';
import type { spillway } from '@spillway/proto';
import { memoryReadingsToWire } from './memory.js';
import { TASK_STATE_TO_WIRE, WORKER_STATUS_TO_WIRE } from './scalars.js';
import { holderToWire, remoteErrorToWire } from './values.js';

export const keyInfoToWire = (info: KeyInfo): spillway.v1.KeyInfo => ({
  key: info.key,
  state: TASK_STATE_TO_WIRE[info.state],
  nbytes: info.nbytes ?? null,
  whoHas: info.whoHas.map(holderToWire),
});

export const workerInfoToWire = (info: WorkerInfo): spillway.v1.WorkerInfo => ({
  workerId: info.workerId,
  name: info.name,
  address: info.address,
  status: WORKER_STATUS_TO_WIRE[info.status],
  nthreads: info.nthreads,
  memoryLimitBytes: info.memoryLimitBytes === false ? null : info.memoryLimitBytes,
  ...memoryReadingsToWire(info),
  underPressure: info.isUnderPressure,
  processingCount: info.processingCount,
  keyCount: info.keyCount,
});

/** How a key that was waited for ended. */
export interface KeyOutcome {
  readonly key: TaskKey;
  readonly state: SchedulerTaskStateName;
  readonly error?: RemoteError;
}

export const keyOutcomeToWire = ({ key, state, error }: KeyOutcome): spillway.v1.KeyOutcome => ({
  key,
  state: TASK_STATE_TO_WIRE[state],
  error: error === undefined ? null : remoteErrorToWire(error),
});
