/**
 * The only place that knows gRPC status codes: which of our errors is which status, and how the details travel
 * (`grpc-status-details-bin`, a google.rpc.Status with ErrorInfo, RetryInfo and BadRequest; conventions.md G09, G10).
 */
import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import {
  ClusterUnreachableError,
  DeadlineExceededError,
  errorFromCode,
  InvalidArgumentError,
  InvariantError,
  LimitExceededError,
  LostDataError,
  SpillwayError,
  UnavailableError,
  VersionMismatchError,
  type ErrorCode,
} from '@spillway/kernel';
import { packDetails, unpackDetails } from './status-details.js';
import { wellFormed } from './to-wire/scalars.js';

const STATUS_OF: Readonly<Record<ErrorCode, status>> = {
  TASK_FAILED: status.UNKNOWN,
  TASK_TIMEOUT: status.DEADLINE_EXCEEDED,
  TASK_OUT_OF_MEMORY: status.RESOURCE_EXHAUSTED,
  TASK_EXITED: status.UNKNOWN,
  INPUT_MUTATED: status.FAILED_PRECONDITION,
  KILLED_WORKER: status.ABORTED,
  CLUSTER_MEMORY_STUCK: status.RESOURCE_EXHAUSTED,
  DEPENDENCY_FAILED: status.FAILED_PRECONDITION,
  LOST_DATA: status.DATA_LOSS,
  NO_VALID_WORKER: status.FAILED_PRECONDITION,
  FUTURE_CANCELLED: status.CANCELLED,
  CLUSTER_UNREACHABLE: status.UNAVAILABLE,
  WORKER_START_TIMEOUT: status.DEADLINE_EXCEEDED,
  PROGRAM_START_FAILED: status.FAILED_PRECONDITION,
  VALUE_NOT_ENCODABLE: status.INVALID_ARGUMENT,
  VALUE_NOT_DECODABLE: status.INVALID_ARGUMENT,
  FUNCTION_CAPTURES: status.INVALID_ARGUMENT,
  FUNCTION_NOT_FOUND: status.NOT_FOUND,
  MODULE_NOT_LOADABLE: status.INVALID_ARGUMENT,
  INVALID_GRAPH: status.INVALID_ARGUMENT,
  KEY_CONFLICT: status.ALREADY_EXISTS,
  UNKNOWN_KEY: status.NOT_FOUND,
  UNKNOWN_WORKER: status.NOT_FOUND,
  NO_NANNY: status.FAILED_PRECONDITION,
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  LIMIT_EXCEEDED: status.RESOURCE_EXHAUSTED,
  VERSION_MISMATCH: status.FAILED_PRECONDITION,
  SESSION_EXPIRED: status.ABORTED,
  UNAVAILABLE: status.UNAVAILABLE,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  INVALID_CONFIG: status.INVALID_ARGUMENT,
  INVALID_TRANSITION: status.INTERNAL,
  INVARIANT: status.INTERNAL,
};

/** What a caller is told to wait before it tries again, unless the error's `details.retryAfterMs` says otherwise. */
const RETRY_AFTER_MS = 1000;
/** Status lines travel in HTTP/2 headers, which are small. */
const MESSAGE_LENGTH_MAX = 1000;

/**
 * The status a call ends with because of this error. What is no `SpillwayError` is a mistake of ours: INTERNAL.
 * `details.retryAfterMs` becomes RetryInfo, `details.field` a field violation.
 */
export function toServiceError(error: unknown): Partial<StatusObject> & { code: status } {
  const known =
    error instanceof SpillwayError
      ? error
      : new InvariantError(error instanceof Error ? error.message : 'Unknown error', { cause: error });
  const code = STATUS_OF[known.code as ErrorCode];
  // Order matters: cutting can leave half of a surrogate pair, for which gRPC's header encoding throws.
  const message = wellFormed(known.message.slice(0, MESSAGE_LENGTH_MAX));
  const metadata = new Metadata();
  metadata.set(
    'grpc-status-details-bin',
    packDetails({
      code,
      message,
      reason: known.code,
      details: known.details,
      retryAfterMs: retryAfterMs(known, code),
    }),
  );
  return { code, details: message, metadata };
}

function retryAfterMs(error: SpillwayError, code: status): number | undefined {
  const asked = Number(error.details['retryAfterMs']);
  if (Number.isFinite(asked)) return asked;
  return code === status.UNAVAILABLE ? RETRY_AFTER_MS : undefined;
}

/** The typed error of a failed call. An answer without our details came from gRPC itself or from another program. */
export function fromServiceError(error: unknown): SpillwayError {
  if (error instanceof SpillwayError) return error;
  if (!isStatus(error)) {
    return new InvariantError(error instanceof Error ? error.message : 'Unknown error', { cause: error });
  }
  const packed = error.metadata?.get('grpc-status-details-bin')[0];
  const known = packed instanceof Uint8Array ? unpackDetails(packed) : undefined;
  if (known !== undefined) {
    return errorFromCode(known.reason, known.message, { details: known.details, cause: error });
  }
  return fromPlainStatus(error);
}

/** True for errors that say nothing about the session or request itself: the same may work a moment later. */
export function isTransient(error: SpillwayError): boolean {
  return (
    error instanceof ClusterUnreachableError ||
    error instanceof UnavailableError ||
    error instanceof DeadlineExceededError
  );
}

interface PlainStatus {
  readonly code: status;
  readonly details?: string;
  readonly message?: string;
  readonly metadata?: Metadata;
}

const isStatus = (error: unknown): error is PlainStatus =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number';

function fromPlainStatus(error: PlainStatus): SpillwayError {
  const said = error.details ?? error.message ?? '';
  const options = { cause: error };
  switch (error.code) {
    case status.UNAVAILABLE:
      return new ClusterUnreachableError(`No connection: ${said}`, options);
    case status.DEADLINE_EXCEEDED:
      return new DeadlineExceededError(`The call did not finish within its deadline: ${said}`, options);
    case status.RESOURCE_EXHAUSTED:
      return new LimitExceededError(`The message or call was over a limit: ${said}`, options);
    case status.UNIMPLEMENTED:
      return new VersionMismatchError(`The other side does not know this call: ${said}`, options);
    case status.DATA_LOSS:
      return new LostDataError(said, options);
    case status.INVALID_ARGUMENT:
    case status.NOT_FOUND:
    case status.ALREADY_EXISTS:
    case status.FAILED_PRECONDITION:
    case status.OUT_OF_RANGE:
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
      return new InvalidArgumentError(`The call was refused (${status[error.code]}): ${said}`, options);
    default:
      return new UnavailableError(`The call broke off (${status[error.code]}): ${said}`, options);
  }
}
