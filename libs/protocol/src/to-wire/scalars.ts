/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
/** Numbers, times and names as they are written. */
import type { SchedulerTaskStateName, SpillFailureReason, WorkerStatus, Encoding } from '@spillway/messages';
import { spillway, type google } from '@spillway/proto';

const wire = spillway.v1;

export type WireDuration = google.protobuf.Duration;

/** Milliseconds, with a fraction down to the nanosecond, as google.protobuf.Duration. */
export function durationFromMs(ms: number): WireDuration {
  const seconds = Math.floor(ms / 1000);
  const nanos = Math.round((ms - seconds * 1000) * 1e6);
  return nanos === 1e9 ? { seconds: seconds + 1, nanos: 0 } : { seconds, nanos };
}

export const ENCODING_TO_WIRE: Readonly<Record<Encoding, spillway.v1.Encoding>> = {
  v8: wire.Encoding.ENCODING_V8,
  json: wire.Encoding.ENCODING_JSON,
  bytes: wire.Encoding.ENCODING_BYTES,
  'arrow-stream': wire.Encoding.ENCODING_ARROW_STREAM,
};

export const TASK_STATE_TO_WIRE: Readonly<Record<SchedulerTaskStateName, spillway.v1.SchedulerTaskState>> = {
  released: wire.SchedulerTaskState.SCHEDULER_TASK_STATE_RELEASED,
  waiting: wire.SchedulerTaskState.SCHEDULER_TASK_STATE_WAITING,
  queued: wire.SchedulerTaskState.SCHEDULER_TASK_STATE_QUEUED,
  'no-worker': wire.SchedulerTaskState.SCHEDULER_TASK_STATE_NO_WORKER,
  processing: wire.SchedulerTaskState.SCHEDULER_TASK_STATE_PROCESSING,
  memory: wire.SchedulerTaskState.SCHEDULER_TASK_STATE_MEMORY,
  awaited: wire.SchedulerTaskState.SCHEDULER_TASK_STATE_AWAITED,
  erred: wire.SchedulerTaskState.SCHEDULER_TASK_STATE_ERRED,
  forgotten: wire.SchedulerTaskState.SCHEDULER_TASK_STATE_FORGOTTEN,
};

export const WORKER_STATUS_TO_WIRE: Readonly<Record<WorkerStatus, spillway.v1.WorkerStatus>> = {
  running: wire.WorkerStatus.WORKER_STATUS_RUNNING,
  paused: wire.WorkerStatus.WORKER_STATUS_PAUSED,
  retiring: wire.WorkerStatus.WORKER_STATUS_RETIRING,
};

export const SPILL_REFUSAL_TO_WIRE: Readonly<Record<SpillFailureReason | 'none', spillway.v1.SpillRefusal>> =
  {
    none: wire.SpillRefusal.SPILL_REFUSAL_UNSPECIFIED,
    'disk-full': wire.SpillRefusal.SPILL_REFUSAL_DISK_FULL,
    'read-only': wire.SpillRefusal.SPILL_REFUSAL_READ_ONLY,
    'no-access': wire.SpillRefusal.SPILL_REFUSAL_NO_ACCESS,
    'folder-lost': wire.SpillRefusal.SPILL_REFUSAL_FOLDER_LOST,
    'limit-reached': wire.SpillRefusal.SPILL_REFUSAL_LIMIT_REACHED,
    'folder-is-memory': wire.SpillRefusal.SPILL_REFUSAL_FOLDER_IS_MEMORY,
    'io-error': wire.SpillRefusal.SPILL_REFUSAL_IO_ERROR,
    'thread-ended': wire.SpillRefusal.SPILL_REFUSAL_THREAD_ENDED,
    closed: wire.SpillRefusal.SPILL_REFUSAL_CLOSED,
  };

const LONE_SURROGATES = /\p{Surrogate}/gu;

/** Half of a surrogate pair cannot be written as UTF-8, and a reader refuses the whole batch it came in. */
export const wellFormed = (text: string): string => text.replace(LONE_SURROGATES, '\ufffd');

/** The encoder only reads a list; its types do not say so. */
export const texts = (list: readonly string[]): string[] => list as string[];
