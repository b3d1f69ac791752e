export { connect, type ConnectOptions } from './connect.js';
export { LocalCluster } from './cluster/local-cluster.js';
export type { LocalClusterOptions } from './cluster/cluster-options.js';
export { currentTask } from './current-task.js';
export type {
  Client,
  GatherIteratorOptions,
  RunOptions,
  ScatterOptions,
  Submitter,
  WaitOptions,
} from './client.js';
export type { CallOptions, Duration } from './call-options.js';
export type { WaitOutcome } from './completion.js';
export { Future, type FutureStatus } from './future.js';
export type { LoadOptions } from './load-module.js';
export type { ClusterMemory, MemoryColour, TotalMemory, WorkerMemory } from './memory.js';
export { preinstalled } from './remote-function.js';
export { repeat, type Repeat } from './repeat.js';
export type {
  AnyFunction,
  ArgumentsOf,
  Deep,
  Gathered,
  Handles,
  InputsOf,
  RemoteFunction,
  ResultOf,
  TaskFunction,
} from './task-function.js';
export type { TaskOptions } from './task-options.js';
export { type RestartOptions, type RetireOptions } from './leaving.js';
export { concludeTrim, trimMemory, type TrimConclusion, type TrimVerdict } from './trim-memory.js';

export { registerCodec, registerSizeof, sizeof, unshared, type Codec } from '@spillway/values';
export {
  ClusterMemoryStuckError,
  ClusterUnreachableError,
  DeadlineExceededError,
  DependencyFailedError,
  FunctionCapturesError,
  FunctionNotFoundError,
  FutureCancelledError,
  InputMutatedError,
  InvalidArgumentError,
  InvalidConfigError,
  InvalidGraphError,
  InvalidTransitionError,
  InvariantError,
  KeyConflictError,
  KilledWorkerError,
  LimitExceededError,
  LostDataError,
  ModuleNotLoadableError,
  NoValidWorkerError,
  ProgramStartError,
  SessionExpiredError,
  SpillwayError,
  TaskExitedError,
  TaskFailedError,
  TaskOutOfMemoryError,
  TaskTimeoutError,
  UnavailableError,
  UnknownKeyError,
  NoNannyError,
  UnknownWorkerError,
  ValueNotDecodableError,
  ValueNotEncodableError,
  VersionMismatchError,
  WorkerStartTimeoutError,
  type ErrorCode,
  type ErrorDetails,
} from '@spillway/kernel';
export type {
  Encoding,
  Holder,
  Holding,
  MemoryReadings,
  SpillFailureReason,
  TrimReport,
  RetirementReport,
  WorkerInfo,
} from '@spillway/messages';
export type { TaskContext, TaskLogger } from '@spillway/ports';
