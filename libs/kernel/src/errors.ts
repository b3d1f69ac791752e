/**
 * Every error that a user, client or operator of Spillway may meet, each with a stable code (architecture.md D10,
 * style.md 5.7). Codes never change meaning. `docs/errors.md` is generated from the doc comments of this file.
 *
 * Three families: the user's code failed (`TASK_…`, kept on the task), the world failed (an outcome event inside, a
 * `SpillwayError` at the edge), we failed (`InvariantError`, `InvalidTransitionError`: thrown, the process stops).
 */

/** Named facts about an error, for programs and logs. Values are text so that they cross any border. */
export type ErrorDetails = Readonly<Record<string, string>>;

/** What all errors of Spillway share: a stable `code`, a message that says what, which and what now, and details. */
export abstract class SpillwayError extends Error {
  abstract readonly code: string;
  readonly details: ErrorDetails;

  constructor(message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.details = options.details ?? {};
    this.name = new.target.name;
  }
}

type Options = ConstructorParameters<typeof SpillwayError>[1];

/** The task's function threw. `cause` is the original error, rebuilt; its stack names the user's file and line. */
export class TaskFailedError extends SpillwayError {
  readonly code = 'TASK_FAILED';
}
/** The task ran longer than its `timeout`; its thread was stopped. */
export class TaskTimeoutError extends SpillwayError {
  readonly code = 'TASK_TIMEOUT';
}
/**
 * The task grew too much (its thread's heap, or the worker's process memory) and was ended, while the worker lives on; or its
 * inputs are larger together than the memory limit of each worker it may run on, and it was not run (`details.inputBytes`).
 */
export class TaskOutOfMemoryError extends SpillwayError {
  readonly code = 'TASK_OUT_OF_MEMORY';
}
/** The task called `process.exit()`, which ends only its thread. Return a value or throw instead. */
export class TaskExitedError extends SpillwayError {
  readonly code = 'TASK_EXITED';
}
/** In a `LocalCluster`, and with `worker.validate`: the task wrote into an input. Inputs are shared, do not change them. */
export class InputMutatedError extends SpillwayError {
  readonly code = 'INPUT_MUTATED';
}
/** The task was executing on several workers when each of them died, so it is not tried again. */
export class KilledWorkerError extends SpillwayError {
  readonly code = 'KILLED_WORKER';
}
/** A task this one depends on, directly or not, has erred; `cause` is that task's error. */
export class DependencyFailedError extends SpillwayError {
  readonly code = 'DEPENDENCY_FAILED';
}
/** Data is gone and cannot be made again: it was scattered, or its task said `recompute: false`. */
export class LostDataError extends SpillwayError {
  readonly code = 'LOST_DATA';
}
/** No worker that the task may run on exists, and the time to wait for one has passed. */
export class NoValidWorkerError extends SpillwayError {
  readonly code = 'NO_VALID_WORKER';
}
/**
 * Every worker is paused for its memory, no task that would free some can run, and nothing has moved for
 * `scheduler.memory-stuck-timeout`. The message lists who holds what: give the workers more memory or disk, or release results.
 */
export class ClusterMemoryStuckError extends SpillwayError {
  readonly code = 'CLUSTER_MEMORY_STUCK';
}
/** The future was cancelled or released, so it will never have a result. */
export class FutureCancelledError extends SpillwayError {
  readonly code = 'FUTURE_CANCELLED';
}
/** The scheduler could not be reached, or the connection was lost and could not be resumed in time. */
export class ClusterUnreachableError extends SpillwayError {
  readonly code = 'CLUSTER_UNREACHABLE';
}
/** No worker registered before the start deadline. */
export class WorkerStartTimeoutError extends SpillwayError {
  readonly code = 'WORKER_START_TIMEOUT';
}
/** A program of the cluster could not be started, or ended while starting. */
export class ProgramStartError extends SpillwayError {
  readonly code = 'PROGRAM_START_FAILED';
}
/** The value holds something that cannot be encoded (a function, a socket); the message names the path of the field. */
export class ValueNotEncodableError extends SpillwayError {
  readonly code = 'VALUE_NOT_ENCODABLE';
}
/** Bytes that should hold an encoded value do not: wrong format, cut short, or of an unknown encoding. */
export class ValueNotDecodableError extends SpillwayError {
  readonly code = 'VALUE_NOT_DECODABLE';
}
/** An inline function uses a variable from outside itself, which cannot travel; the message names it. */
export class FunctionCapturesError extends SpillwayError {
  readonly code = 'FUNCTION_CAPTURES';
}
/** The named function or module does not exist on the worker, or the module's bytes do not match its hash. */
export class FunctionNotFoundError extends SpillwayError {
  readonly code = 'FUNCTION_NOT_FOUND';
}
/** The user's module could not be bundled or loaded; the message names the file or package. */
export class ModuleNotLoadableError extends SpillwayError {
  readonly code = 'MODULE_NOT_LOADABLE';
}
/** The graph refers to a key that neither it nor the cluster knows, has a cycle, or is otherwise not a graph. */
export class InvalidGraphError extends SpillwayError {
  readonly code = 'INVALID_GRAPH';
}
/** The key (or submission id) exists with other content. Use another key, or submit exactly the same. */
export class KeyConflictError extends SpillwayError {
  readonly code = 'KEY_CONFLICT';
}
/** The scheduler does not know this key: never submitted, released, or forgotten. */
export class UnknownKeyError extends SpillwayError {
  readonly code = 'UNKNOWN_KEY';
}
/** No worker of this id or name is registered. */
export class UnknownWorkerError extends SpillwayError {
  readonly code = 'UNKNOWN_WORKER';
}
/** This worker was started without a nanny, so nobody starts another in its place. Restart it by hand. */
export class NoNannyError extends SpillwayError {
  readonly code = 'NO_NANNY';
}
/** A message or argument is malformed; the message says which field and what was expected. */
export class InvalidArgumentError extends SpillwayError {
  readonly code = 'INVALID_ARGUMENT';
}
/** A message, value or queue is over its limit; the message names the limit. */
export class LimitExceededError extends SpillwayError {
  readonly code = 'LIMIT_EXCEEDED';
}
/** The other side speaks an incompatible protocol version. Upgrade the older of the two. */
export class VersionMismatchError extends SpillwayError {
  readonly code = 'VERSION_MISMATCH';
}
/** The session is not known (any more) to the scheduler: it restarted, or the session's grace period has passed. */
export class SessionExpiredError extends SpillwayError {
  readonly code = 'SESSION_EXPIRED';
}
/** The peer is draining or not ready; try again. */
export class UnavailableError extends SpillwayError {
  readonly code = 'UNAVAILABLE';
}
/** The call did not finish within its deadline. */
export class DeadlineExceededError extends SpillwayError {
  readonly code = 'DEADLINE_EXCEEDED';
}
/** One or more settings are wrong; the message lists all of them, each with where it came from. */
export class InvalidConfigError extends SpillwayError {
  readonly code = 'INVALID_CONFIG';
}
/** A machine was asked for a move that its table does not have. A bug of ours: the process stops, with the story. */
export class InvalidTransitionError extends SpillwayError {
  readonly code = 'INVALID_TRANSITION';
}
/** Something that cannot happen has happened. A bug of ours: the process stops, with the story. */
export class InvariantError extends SpillwayError {
  readonly code = 'INVARIANT';
}

/** Every class above by its code: to rebuild an error that arrives as data. */
export const ERROR_CLASSES = {
  TASK_FAILED: TaskFailedError,
  TASK_TIMEOUT: TaskTimeoutError,
  TASK_OUT_OF_MEMORY: TaskOutOfMemoryError,
  TASK_EXITED: TaskExitedError,
  INPUT_MUTATED: InputMutatedError,
  KILLED_WORKER: KilledWorkerError,
  DEPENDENCY_FAILED: DependencyFailedError,
  LOST_DATA: LostDataError,
  NO_VALID_WORKER: NoValidWorkerError,
  CLUSTER_MEMORY_STUCK: ClusterMemoryStuckError,
  FUTURE_CANCELLED: FutureCancelledError,
  CLUSTER_UNREACHABLE: ClusterUnreachableError,
  WORKER_START_TIMEOUT: WorkerStartTimeoutError,
  PROGRAM_START_FAILED: ProgramStartError,
  VALUE_NOT_ENCODABLE: ValueNotEncodableError,
  VALUE_NOT_DECODABLE: ValueNotDecodableError,
  FUNCTION_CAPTURES: FunctionCapturesError,
  FUNCTION_NOT_FOUND: FunctionNotFoundError,
  MODULE_NOT_LOADABLE: ModuleNotLoadableError,
  INVALID_GRAPH: InvalidGraphError,
  KEY_CONFLICT: KeyConflictError,
  UNKNOWN_KEY: UnknownKeyError,
  UNKNOWN_WORKER: UnknownWorkerError,
  NO_NANNY: NoNannyError,
  INVALID_ARGUMENT: InvalidArgumentError,
  LIMIT_EXCEEDED: LimitExceededError,
  VERSION_MISMATCH: VersionMismatchError,
  SESSION_EXPIRED: SessionExpiredError,
  UNAVAILABLE: UnavailableError,
  DEADLINE_EXCEEDED: DeadlineExceededError,
  INVALID_CONFIG: InvalidConfigError,
  INVALID_TRANSITION: InvalidTransitionError,
  INVARIANT: InvariantError,
} as const satisfies Record<string, new (message: string, options?: Options) => SpillwayError>;

export type ErrorCode = keyof typeof ERROR_CLASSES;

export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(ERROR_CLASSES, text);

/** Makes the error of a code that arrived as data. An unknown code (from a newer peer) becomes `TASK_FAILED`. */
export function errorFromCode(code: string, message: string, options?: Options): SpillwayError {
  return new ERROR_CLASSES[isErrorCode(code) ? code : 'TASK_FAILED'](message, options);
}
