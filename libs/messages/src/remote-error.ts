import type { ErrorDetails, SpillwayError } from '@spillway/kernel';
import { errorFromCode } from '@spillway/kernel';
import type { Payload } from './values.js';

/** An error as it travels: plain data, bounded in size by whoever makes it. */
export interface RemoteError {
  /** A code of `libs/kernel/src/errors.ts`; codes of newer peers may be unknown here. */
  readonly code: string;
  readonly message: string;
  /** Stack of the original, source-mapped to the user's file where there is one. */
  readonly stack?: string;
  readonly details: ErrorDetails;
  /** The error behind this one, outermost first. */
  readonly cause?: RemoteError;
  /** The user's thrown value itself, encoded, where it could be: rebuilt as `cause` on the client. */
  readonly thrown?: Payload;
}

/** Turns one of our own errors into data. */
export function toRemoteError(error: SpillwayError): RemoteError {
  return {
    code: error.code,
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    details: error.details,
  };
}

/** Shorthand for an error that starts its life as data, in a machine. */
export function remoteError(
  code: SpillwayError['code'],
  message: string,
  details: ErrorDetails = {},
): RemoteError {
  return { code, message, details };
}

/** Rebuilds the typed error; `cause` is used when there is one, else the remote cause is rebuilt in turn. */
export function fromRemoteError(error: RemoteError, cause?: unknown): SpillwayError {
  const rebuiltCause = cause ?? (error.cause === undefined ? undefined : fromRemoteError(error.cause));
  const rebuilt = errorFromCode(error.code, error.message, {
    details: error.details,
    ...(rebuiltCause === undefined ? {} : { cause: rebuiltCause }),
  });
  if (error.stack !== undefined) rebuilt.stack = error.stack;
  return rebuilt;
}
