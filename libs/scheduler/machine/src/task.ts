/**
 * The scheduler's record of one task, and the states it can be in. The worker's picture of the same task is in the
 * worker machine. Which moves exist is in `transitions/`; when each is made is in `settling.ts`.
 *
 * Records are lean (≤ 1 KiB a pending task with everything that refers to it): nothing is allocated before it is needed.
 */
import type { RunId, TaskKey, WorkerId } from '@spillway/kernel';
import type {
  ExecutingTask,
  RemoteError,
  SchedulerTaskStateName,
  TaskSpec,
  Verdict,
} from '@spillway/messages';
import type { ClientView } from './client-view.js';
import type { LearnedFunction } from './durations.js';
import type { SmallSet } from './small-set.js';
import type { WorkerView } from './worker-view.js';

/** Known, but nothing asks for it to run: its recipe is kept because a dependent may need it again. */
export interface ReleasedState {
  readonly name: 'released';
}
/** Needed, and some inputs are not in memory. Invariant: `missingCount` of its dependencies are not in memory. */
export interface WaitingState {
  readonly name: 'waiting';
  missingCount: number;
}
/** All inputs are in memory and no worker has room. Invariant: it stands in the heaps of `queueing.ts`. */
export interface QueuedState {
  readonly name: 'queued';
  /** The worker it would start on earliest because its inputs lie there; `undefined` when any will do. */
  readonly home: WorkerView | undefined;
  /** Its inputs are too large for some worker (`fitting.ts`), so it stands only in the heaps of those that it fits. */
  readonly isConfined: boolean;
}
/** All inputs are in memory and none of the workers it may run on is running, or none that its inputs fit. */
export interface NoWorkerState {
  readonly name: 'no-worker';
  sinceMs: number;
  /** Some are running, and its inputs are too large for them. Invariant: they fit one that is paused. */
  readonly isConfined: boolean;
}
/** Assigned to a worker. Invariant: it is in that worker's `processing`, and no other task has this run id. */
export interface ProcessingState {
  readonly name: 'processing';
  readonly worker: WorkerView;
  readonly runId: RunId;
  /** What it is taken to cost, in the worker's accounts; change through `WorkerView.reprice` only. */
  expectedMs: number;
  /** What its result is expected to take; 0 while its function has never run. */
  readonly expectedBytes: number;
  /** It was given to a paused worker because its end frees memory (`draining.ts`). Invariant: of at most one task. */
  readonly isDraining?: true;
}
/** Its result is held by workers. Invariant: `whoHas` is never empty; it is one relation with `hasWhat` (`replicas.ts`). */
export interface MemoryState {
  readonly name: 'memory';
  readonly nbytes: number;
  whoHas: SmallSet<WorkerView>;
}
/**
 * Its last copy was on a worker that died, and that worker's successor may have it on disk: until it says so, or time is
 * over, it is not made again. Invariant: it is needed.
 */
export interface AwaitedState {
  readonly name: 'awaited';
  /** Of the worker that died; its successor has the same. */
  readonly workerName: string;
  readonly untilMs: number;
}
/** It, or a task it depends on, failed. Invariant: it has no replicas and waits for nothing. */
export interface ErredState {
  readonly name: 'erred';
  readonly error: RemoteError;
  /** What its dependents fail with: made once, shared by all of them and by theirs. */
  dependentsError: RemoteError | undefined;
}
/** Gone from the table. Nothing refers to it any more. */
export interface ForgottenState {
  readonly name: 'forgotten';
}

export type TaskState =
  | ReleasedState
  | WaitingState
  | QueuedState
  | NoWorkerState
  | ProcessingState
  | MemoryState
  | AwaitedState
  | ErredState
  | ForgottenState;

export type StateName = SchedulerTaskStateName;
export type StateOf<Name extends StateName> = Extract<TaskState, { name: Name }>;

export const RELEASED: ReleasedState = { name: 'released' };
export const FORGOTTEN: ForgottenState = { name: 'forgotten' };
export const QUEUED_ANYWHERE: QueuedState = { name: 'queued', home: undefined, isConfined: false };

/** A worker that died while this task was, or may have been, executing on it. */
export interface Death {
  readonly workerId: WorkerId;
  readonly workerName: string;
  /** Its nanny's, or the scheduler's own until its nanny has spoken. */
  verdict: Verdict;
  /** What its last heartbeat said that it was executing, this task or others. */
  readonly executing: readonly ExecutingTask[];
}

const NO_TASKS: readonly SchedulerTask[] = [];

export class SchedulerTask {
  /** Changed by `TaskTable.enter` only. */
  state: TaskState = RELEASED;
  /** In the order of `spec.dependencies`. */
  dependencies: readonly SchedulerTask[] = NO_TASKS;
  /** Every task that is not forgotten and has this one among its dependencies. */
  dependents: SmallSet<SchedulerTask> = undefined;
  /** Clients that hold a future for it: one relation with `ClientView.wants` (`wants.ts`). */
  wantedBy: SmallSet<ClientView> = undefined;
  /** How many dependents are waiting, queued, no-worker or processing: while there are any, it is needed. */
  waiterCount = 0;
  /** Graphs being committed that contain it: while there are any, it is not forgotten. */
  pinCount = 0;
  /** Number of the attempt to come or under way, from 1; counts retries and deaths. */
  attempt = 1;
  retriesLeft: number;
  /** Larger runs earlier: the first part of its priority. */
  readonly userPriority: number;
  deaths: readonly Death[] | undefined = undefined;
  /** It has run, or may have begun to: what `recompute: false` forbids to happen again. */
  mayHaveRun = false;
  /** Already on the agenda, so not put there again. */
  isOnAgenda = false;

  constructor(
    readonly key: TaskKey,
    /** The recipe; `undefined` for scattered data, which cannot be made again. */
    readonly spec: TaskSpec | undefined,
    readonly learned: LearnedFunction | undefined,
    /** Number of its graph: the second part of its priority. */
    readonly submission: number,
    /** Its place in its graph: the last part of its priority. */
    readonly order: number,
  ) {
    this.retriesLeft = spec === undefined ? 0 : spec.retries;
    this.userPriority = spec === undefined ? 0 : spec.priority;
  }

  /** It has no inputs: running it makes data and frees none. */
  get isRoot(): boolean {
    return this.dependencies.length === 0;
  }

  /** A client wants it, or an unfinished dependent does. What is not needed is freed; what is needed is made. */
  get isNeeded(): boolean {
    return this.waiterCount > 0 || this.wantedBy !== undefined;
  }
}

/** Waiting, queued, no-worker and processing tasks are active: on the way to a result, holding on to their inputs. */
export function isActive(task: SchedulerTask): boolean {
  const { name } = task.state;
  return name === 'waiting' || name === 'queued' || name === 'no-worker' || name === 'processing';
}

/** The state `waiting` with what is missing now. */
export function waitingFor(task: SchedulerTask): WaitingState {
  let missingCount = 0;
  for (const dependency of task.dependencies) if (dependency.state.name !== 'memory') missingCount += 1;
  return { name: 'waiting', missingCount };
}

/** Negative when `a` goes first: by user priority and submission only. */
export function compareLevel(a: SchedulerTask, b: SchedulerTask): number {
  return b.userPriority - a.userPriority || a.submission - b.submission;
}

/** Negative when `a` goes first: user priority, then submission, then place in the graph. */
export function comparePriority(a: SchedulerTask, b: SchedulerTask): number {
  return compareLevel(a, b) || a.order - b.order;
}
