/**
 * What the worker knows of one key: the record and the union of its states. Covers shapes only; who moves where is in
 * `transitions/`, membership of states in `task-table.ts`.
 */
import type { RunId, TaskKey, WorkerId } from '@spillway/kernel';
import type { Priority } from '@spillway/messages';
import type { WorkerEvent } from './events.js';

export type ComputeTask = Extract<WorkerEvent, { type: 'compute-task' }>;

/** One assignment of the scheduler. Immutable, so that queues may order by it. */
export interface Run {
  readonly task: WorkerTask;
  readonly message: ComputeTask;
  /** Counts assignments: of equal priorities the first come starts first. */
  readonly order: number;
}

/** Why an attempt was told to stop, with what its error will say. */
export type Stopping =
  | { readonly reason: 'cancelled' | 'timeout' }
  | { readonly reason: 'out-of-memory'; readonly processBytes: number; readonly limitBytes: number };

/** A run as handed to a slot's thread; it is there until its outcome arrives. */
export interface Attempt {
  readonly run: Run;
  readonly slot: number;
  /** When it became the head of its slot, which is when its time starts to count. */
  headSinceMs: number | undefined;
  stopping: Stopping | undefined;
}

/**
 * Nothing is wanted of the key: a record just made, or one whose attempt was told to stop and has not ended.
 * Invariant: between events, `lingering` is set and nobody needs the key (else it is fetched, or forgotten).
 */
export interface ReleasedState {
  readonly name: 'released';
}
/**
 * Assigned, and inputs are missing here.
 * Invariant: `missingCount` ≥ 1 is the number of its inputs that are not in memory; each of them lists it in `neededBy`.
 */
export interface WaitingState {
  readonly name: 'waiting';
  readonly run: Run;
  missingCount: number;
}
/**
 * Wanted here and to be asked of a peer.
 * Invariant: some task needs it, or it is wanted as a replica; each holder lists it; without holders the scheduler is asked.
 */
export interface FetchState {
  readonly name: 'fetch';
  /** As the scheduler said last. */
  nbytes: number;
  readonly holders: Set<WorkerId>;
  /** Best priority among those who need it. */
  priority: Priority;
  /** Wanted for its own sake. */
  asReplica: boolean;
}
/** Asked of a peer. Invariant: a gather of `from` is under way and carries it; some task needs it, or it is a replica. */
export interface FlightState {
  readonly name: 'flight';
  readonly nbytes: number;
  readonly from: WorkerId;
  /** Where else it is. */
  readonly holders: Set<WorkerId>;
  priority: Priority;
  asReplica: boolean;
}
/** Assigned, inputs are in memory, waits for a slot; or, with `lingering`, for an older attempt of the key to end. */
export interface ReadyState {
  readonly name: 'ready';
  readonly run: Run;
}
/** Handed to a slot's thread. Invariant: the slot has exactly this attempt of the key; nothing lingers. */
export interface ExecutingState {
  readonly name: 'executing';
  readonly attempt: Attempt;
}
/** The value is in the store. */
export interface MemoryState {
  readonly name: 'memory';
  readonly nbytes: number;
}
/** The last run failed and the scheduler was told. Kept for questions only. */
export interface ErredState {
  readonly name: 'erred';
  readonly code: string;
}

export type TaskState =
  | ReleasedState
  | WaitingState
  | FetchState
  | FlightState
  | ReadyState
  | ExecutingState
  | MemoryState
  | ErredState;
export type TaskStateName = TaskState['name'];
export type StateOf<Name extends TaskStateName> = Extract<TaskState, { name: Name }>;

export const TASK_STATE_NAMES: readonly TaskStateName[] = [
  'released',
  'waiting',
  'fetch',
  'flight',
  'ready',
  'executing',
  'memory',
  'erred',
];

export interface WorkerTask {
  readonly key: TaskKey;
  /** Changed by `TaskTable.setState` only. */
  state: TaskState;
  /** Tasks in `waiting` or `ready` that take this one's value; made when first needed. */
  neededBy: Set<WorkerTask> | undefined;
  /** An attempt that nobody waits for any more; its outcome has not arrived. No other attempt of the key starts until then. */
  lingering: Attempt | undefined;
}

export const RELEASED: ReleasedState = { name: 'released' };
/** Of copies that no task here needs: behind every task's inputs. */
export const REPLICA_PRIORITY: Priority = [Number.MAX_VALUE, Number.MAX_VALUE, Number.MAX_VALUE];

export function comparePriority(a: Priority, b: Priority): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

export function isNeeded(task: WorkerTask): boolean {
  return task.neededBy !== undefined && task.neededBy.size > 0;
}

/** The run that the scheduler waits for; `undefined` for keys that are not assigned here. */
export function runOf(task: WorkerTask): Run | undefined {
  const { state } = task;
  if (state.name === 'executing') return state.attempt.run;
  return state.name === 'waiting' || state.name === 'ready' ? state.run : undefined;
}

/** The attempt of this key that is in a thread, wanted or not. */
export function attemptOf(task: WorkerTask): Attempt | undefined {
  return task.state.name === 'executing' ? task.state.attempt : task.lingering;
}

export const runIdOf = (run: Run): RunId => run.message.runId;
