import type { SpillwayError } from '@spillway/kernel';
import { InvalidArgumentError, LimitExceededError } from '@spillway/kernel';
import { CONTROL_MESSAGE_BYTES_MAX } from '@spillway/messages';
import type { WireCodec } from './service.js';

/** Decodes what a peer sent. Throws `InvalidArgumentError` for bytes that are no such message, never anything else. */
export function decodeWire<T>(codec: Pick<WireCodec<T>, 'decode'>, bytes: Uint8Array): T {
  try {
    return codec.decode(bytes);
  } catch (error) {
    throw new InvalidArgumentError(
      `The ${bytes.length} bytes received are not the expected protobuf message: ${String(error)}.`,
      { cause: error },
    );
  }
}

/** What would be refused at the other end is refused here, where it can be told who asked for it. */
export function tooLarge(what: string, bytes: number): SpillwayError {
  return new LimitExceededError(
    `${what} is ${bytes} bytes, over the limit of ${CONTROL_MESSAGE_BYTES_MAX} for one message. Split it.`,
  );
}

/** What `decode` gives, or why the sender's message was refused. Mistakes of ours go on as they are. */
export function decoded<T>(decode: () => T): T | SpillwayError {
  try {
    return decode();
  } catch (error) {
    if (error instanceof InvalidArgumentError || error instanceof LimitExceededError) return error;
    throw error;
  }
}
