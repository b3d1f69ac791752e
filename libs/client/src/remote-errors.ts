/** Errors that arrive as data become the typed errors of kernel again, with the thrown value as their `cause`. */
import type { SpillwayError } from '@spillway/kernel';
import { fromRemoteError, type Payload, type RemoteError } from '@spillway/messages';
import { decodeValue } from '@spillway/values';

/**
 * The typed error. `cause` is the value that the user's code threw, decoded; when it did not travel, the error that
 * caused this one, rebuilt in the same way.
 */
export function rebuildError(remote: RemoteError): SpillwayError {
  return fromRemoteError(remote, causeOf(remote));
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
