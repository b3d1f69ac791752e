/** Errors that arrive as data become the typed errors of kernel again, with the thrown value as their `cause`. */
import type { SpillwayError } from '@spillway/kernel';
import { fromRemoteError, type Payload, type RemoteError } from '@spillway/messages';
import { decodeValue } from '@spillway/values';

/**
 * The typed error. `cause` is the value that the user's code threw, decoded; when it did not travel, the error that
 * caused this one, rebuilt in the same way. Its stack is headed by what it is, and goes on where it happened: the
 * frames of this process only say that a message arrived.
 */
export function rebuildError(remote: RemoteError): SpillwayError {
  const error = fromRemoteError(remote, causeOf(remote));
  error.stack = `${error.name}: ${error.message}${framesOf(remote.stack)}`;
  return error;
}

/** Without the head, whose message may have several lines. */
function framesOf(stack = ''): string {
  const start = stack.search(/\n\s+at /);
  return start < 0 ? '' : stack.slice(start);
}

function causeOf(remote: RemoteError): unknown {
  if (remote.thrown !== undefined) {
    const decoded = tryDecode(remote.thrown);
    if (decoded !== undefined) return decoded.value;
  }
  return remote.cause === undefined ? undefined : rebuildError(remote.cause);
}

/** The thrown value is a courtesy: the error itself must not be lost because that cannot be read. */
function tryDecode(payload: Payload): { value: unknown } | undefined {
  try {
    return { value: decodeValue(payload) };
  } catch {
    return undefined;
  }
}
