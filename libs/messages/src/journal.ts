import type { ClientId, ModuleHash, SubmissionId, TaskKey, WorkerId } from '@spillway/kernel';
import type { Verdict } from './nanny.js';
import type { RemoteError } from './remote-error.js';
import type { TaskSpec } from './task-spec.js';

/** A task with its place in its graph. */
export interface PlacedTask {
  readonly spec: TaskSpec;
  readonly order: number;
}

/** What is known of the attempts of a task that are over. */
export interface TaskHistory {
  readonly key: TaskKey;
  readonly attempt: number;
  readonly retriesLeft: number;
  /** Deaths of workers that it was executing on. */
  readonly deaths: readonly JournaledDeath[];
  /** It has run, or may have begun to. */
  readonly mayHaveRun: boolean;
}

/** A worker that died while it executed the task. */
export interface JournaledDeath {
  readonly workerId: WorkerId;
  readonly workerName: string;
  readonly verdict: Verdict;
}

/**
 * What the scheduler writes down so that its next life goes on where it ended. Each record says what has become of one
 * thing; a later record about the same thing replaces the earlier, so that reading some of them twice does no harm.
 */
export type JournalRecord =
  /** A life of the scheduler has begun. Numbers it gives are larger than those of lives before. */
  | { readonly type: 'scheduler-started'; readonly life: number; readonly lastSubmission: number }
  | { readonly type: 'module-stored'; readonly moduleHash: ModuleHash; readonly bundle: Uint8Array }
  | { readonly type: 'module-dropped'; readonly moduleHash: ModuleHash }
  | { readonly type: 'client-came'; readonly clientId: ClientId }
  /** With it goes everything that it wanted. */
  | { readonly type: 'client-gone'; readonly clientId: ClientId }
  /** Dependencies come before their dependents. */
  | { readonly type: 'tasks-made'; readonly submission: number; readonly tasks: readonly PlacedTask[] }
  /** Data that a client has put on workers: a task without a recipe. */
  | { readonly type: 'data-made'; readonly submission: number; readonly key: TaskKey }
  | { readonly type: 'graph-accepted'; readonly clientId: ClientId; readonly submissionId: SubmissionId }
  | { readonly type: 'keys-wanted'; readonly clientId: ClientId; readonly keys: readonly TaskKey[] }
  | { readonly type: 'keys-unwanted'; readonly clientId: ClientId; readonly keys: readonly TaskKey[] }
  /** `workers`: names of those that had it first. */
  | {
      readonly type: 'task-finished';
      readonly key: TaskKey;
      readonly nbytes: number;
      readonly workers: readonly string[];
    }
  | { readonly type: 'task-erred'; readonly key: TaskKey; readonly error: RemoteError }
  /** It is neither finished nor erred any more. */
  | { readonly type: 'task-reset'; readonly key: TaskKey }
  | ({ readonly type: 'task-history' } & TaskHistory)
  | { readonly type: 'keys-forgotten'; readonly keys: readonly TaskKey[] }
  | { readonly type: 'worker-came'; readonly workerId: WorkerId; readonly name: string }
  | { readonly type: 'worker-gone'; readonly workerId: WorkerId };

export type JournalRecordOf<Type extends JournalRecord['type']> = Extract<JournalRecord, { type: Type }>;
