import type { ClientId, StimulusId, SubmissionId, TaskKey, WorkerId } from '@spillway/kernel';
import type { MemoryReadings } from './memory.js';
import type { RemoteError } from './remote-error.js';
import type { FunctionRef, TaskSpec } from './task-spec.js';
import type { Payload } from './values.js';

/** First words of a client on its control stream. */
export interface ClientHello {
  readonly clientId: ClientId;
  readonly protocol: { readonly major: number; readonly minor: number };
  readonly softwareVersion: string;
  /** It had a session that the scheduler does not know any more, and wants to go on with its keys; else it is refused. */
  readonly isBack?: boolean;
}

/** Where one copy of a value can be fetched. */
export interface Holder {
  readonly workerId: WorkerId;
  /** `host:port` of the worker's data service. */
  readonly address: string;
}

/** A value that a client has put on workers itself. */
export interface ScatteredData {
  readonly key: TaskKey;
  readonly nbytes: number;
  readonly holders: readonly WorkerId[];
}

/** What a client says on its control stream. */
export type ClientToScheduler =
  /**
   * One part (≤ 1 MiB) of a graph. Parts of one submission arrive in order; nothing acts before the commit. `wants`: keys
   * this client holds futures for, of any part, so that a graph may want more keys than fit into one message.
   */
  | {
      readonly type: 'graph-part';
      readonly submissionId: SubmissionId;
      readonly partIndex: number;
      readonly tasks: readonly TaskSpec[];
      readonly wants?: readonly TaskKey[];
    }
  /** The graph is complete. `wants`: more keys this client holds futures for. Answered by accepted or refused. */
  | {
      readonly type: 'graph-commit';
      readonly submissionId: SubmissionId;
      readonly partCount: number;
      readonly wants: readonly TaskKey[];
    }
  | { readonly type: 'client-desires-keys'; readonly keys: readonly TaskKey[] }
  /**
   * After another life of the scheduler has begun: everything that the client wants, in one or more messages. What it wanted
   * before and does not name in any of them it has let go of.
   */
  | { readonly type: 'client-resumes'; readonly keys: readonly TaskKey[]; readonly isLast: boolean }
  | { readonly type: 'client-releases-keys'; readonly keys: readonly TaskKey[] }
  /** `force`: also against other clients that want the keys. */
  | { readonly type: 'cancel-keys'; readonly keys: readonly TaskKey[]; readonly force: boolean }
  /** Run erred keys, and the erred tasks they failed through, again. */
  | { readonly type: 'retry-keys'; readonly keys: readonly TaskKey[] }
  /** The client has put the value on these workers; it becomes data without a recipe, wanted by this client. */
  | ({ readonly type: 'data-scattered' } & ScatteredData)
  /** Good-bye: release everything now, without a grace period. */
  | { readonly type: 'client-closing' };

/** What the scheduler says to a client. */
export type SchedulerToClient =
  | { readonly type: 'graph-accepted'; readonly submissionId: SubmissionId }
  | { readonly type: 'graph-refused'; readonly submissionId: SubmissionId; readonly error: RemoteError }
  /** `inline`: the value itself, when it is small and was at hand. Else fetch it from a holder. */
  | {
      readonly type: 'key-in-memory';
      readonly key: TaskKey;
      readonly nbytes: number;
      readonly holders: readonly Holder[];
      readonly inline?: Payload;
    }
  | { readonly type: 'key-erred'; readonly key: TaskKey; readonly error: RemoteError }
  /** The last copy is gone; it is being computed again. */
  | { readonly type: 'key-lost'; readonly key: TaskKey }
  | { readonly type: 'key-cancelled'; readonly key: TaskKey; readonly reason: string }
  /** The key was erred and runs again. */
  | { readonly type: 'key-retried'; readonly key: TaskKey };

/** State of a task as clients and operators see it. */
export type SchedulerTaskStateName =
  | 'released'
  | 'waiting'
  | 'queued'
  | 'no-worker'
  | 'processing'
  | 'memory'
  | 'awaited'
  | 'erred'
  | 'forgotten';

/** A function run on workers at once, outside scheduling (`client.run`). */
export interface RunRequest {
  readonly function: FunctionRef;
  readonly args: Payload;
  readonly timeoutMs: number | false;
}
export type RunOutcome =
  | { readonly type: 'run-success'; readonly result: Payload }
  | { readonly type: 'run-failure'; readonly error: RemoteError };

/** Answers of the scheduler's unary queries, per key or worker. */
export interface KeyInfo {
  readonly key: TaskKey;
  readonly state: SchedulerTaskStateName;
  readonly nbytes: number | undefined;
  readonly whoHas: readonly Holder[];
}
/** The memory readings are those of the last heartbeat. */
export interface WorkerInfo extends MemoryReadings {
  readonly workerId: WorkerId;
  readonly name: string;
  readonly address: string;
  readonly status: WorkerStatus;
  readonly nthreads: number;
  readonly memoryLimitBytes: number | false;
  /** It spills or has done so lately, takes tasks one at a time, or is paused. */
  readonly isUnderPressure: boolean;
  readonly processingCount: number;
  readonly keyCount: number;
}

/** Workers that shall leave (`client.retireWorkers`). */
export interface RetireRequest {
  /** Names or ids; at least one. */
  readonly workers: readonly string[];
  /** How long they may take; the scheduler's setting when absent. */
  readonly deadlineMs?: number;
  /** For logs. */
  readonly reason: string;
}

/** What becomes, or became, of a worker that leaves on purpose, and of what it had. */
export interface RetirementReport {
  readonly workerId: WorkerId;
  readonly name: string;
  /** `retired`: it was let go. `died`: it ended before that, in whatever way. */
  readonly outcome: 'retiring' | 'retired' | 'died';
  /** Since it was told to. */
  readonly forMs: number;
  /** Results that were copied to workers that stay; those that others had anyway do not count. */
  readonly copiedCount: number;
  readonly copiedBytes: number;
  /** Results that are still needed and that no worker that stays has, now. */
  readonly remainingCount: number;
  readonly remainingBytes: number;
  /** Tasks that it was given and has not reported on. */
  readonly runningCount: number;
  /** Tasks that it had not finished at its deadline: they run elsewhere. */
  readonly takenBackCount: number;
  /** Needed results that were not copied in time, and are made again. */
  readonly recomputedCount: number;
  /** Results left on its disk for its successor. */
  readonly leftCount: number;
  /** Results that were not copied in time and cannot be made again. */
  readonly lostCount: number;
}

export type WorkerStatus = 'running' | 'paused' | 'retiring';

export interface Stimulated {
  readonly stimulusId: StimulusId;
}

/** Where a key has come to, for callers that wait for it. */
export interface KeyOutcome {
  readonly key: TaskKey;
  readonly state: SchedulerTaskStateName;
  readonly error?: RemoteError;
}
