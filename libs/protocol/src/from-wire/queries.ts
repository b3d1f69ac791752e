/** Answers of the scheduler and the nanny to queries, as they arrived: validated and bounded. */
import { asTaskKey, asWorkerId } from '@spillway/kernel';
import type { KeyInfo, RunOutcome, WorkerInfo } from '@spillway/messages';
import type { WorkerId } from '@spillway/kernel';
import type { spillway } from '@spillway/proto';
import { address, count, each, required, text } from './checks.js';
import { memoryReadings } from './memory.js';
import { taskState, workerStatus } from './enums.js';
import { holder, runOutcome } from './values.js';

export const keyInfo = (wire: spillway.v1.KeyInfo): KeyInfo => ({
  key: asTaskKey(text(wire.key, 'key')),
  state: taskState(wire.state, 'state'),
  nbytes: wire.nbytes === null || wire.nbytes === undefined ? undefined : count(wire.nbytes, 'nbytes'),
  whoHas: each(wire.whoHas, 'who_has', holder),
});

export const workerInfo = (wire: spillway.v1.WorkerInfo): WorkerInfo => ({
  workerId: asWorkerId(text(wire.workerId, 'worker_id')),
  name: text(wire.name, 'name'),
  address: address(wire.address, 'address'),
  status: workerStatus(wire.status, 'status'),
  nthreads: count(wire.nthreads, 'nthreads'),
  memoryLimitBytes:
    wire.memoryLimitBytes === null || wire.memoryLimitBytes === undefined
      ? false
      : count(wire.memoryLimitBytes, 'memory_limit_bytes'),
  ...memoryReadings(wire),
  isUnderPressure: wire.underPressure,
  processingCount: count(wire.processingCount, 'processing_count'),
  keyCount: count(wire.keyCount, 'key_count'),
});

export interface WorkerRunOutcome {
  readonly workerId: WorkerId;
  readonly outcome: RunOutcome;
}

export const workerRunOutcome = (wire: spillway.v1.WorkerRunOutcome): WorkerRunOutcome => ({
  workerId: asWorkerId(text(wire.workerId, 'worker_id')),
  outcome: required(wire.outcome, 'outcome', runOutcome),
});
