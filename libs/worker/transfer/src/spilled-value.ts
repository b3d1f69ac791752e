/** Values that lie on disk, served from there by the transfer thread: checked, and never in memory as a whole. */
import { LostDataError, UnavailableError } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import type { StreamedValue } from '@spillway/protocol';
import { readFailure, readSpilled } from '@spillway/worker-store';
import type { SpilledValue, UnreadableReason } from './thread-protocol.js';

/** Smaller values are read at once: a fetch asks for many of them ahead, and so has their reads overlap. */
const READ_WHOLE_BYTES_MAX = 16 * 1024;

/** What becomes of a value that is being served from disk. */
export interface SpilledListener {
  /** It is not what was written, or not there. */
  onUnreadable(reason: UnreadableReason): void;
  /** Nothing of it is read any more. The last word. */
  onReleased(): void;
}

/** As the data server wants it; `undefined` when a small one turned out to be lost. */
export async function openSpilled(
  spilled: SpilledValue,
  listener: SpilledListener,
): Promise<Payload | StreamedValue | undefined> {
  const { encoding, rawBytes } = spilled;
  const chunks = checkedChunks(spilled, listener);
  if (rawBytes > READ_WHOLE_BYTES_MAX)
    return { encoding, sizeBytes: rawBytes, chunks, release: () => listener.onReleased() };
  try {
    return { encoding, data: await readWhole(chunks, rawBytes) };
  } catch (error) {
    if (error instanceof LostDataError) return undefined;
    throw error;
  } finally {
    listener.onReleased();
  }
}

/** Errors are those that a `StreamedValue` may throw. */
async function* checkedChunks(
  spilled: SpilledValue,
  listener: SpilledListener,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* readSpilled(spilled);
  } catch (cause) {
    const { reason, message } = readFailure(cause);
    if (reason === 'unavailable')
      throw new UnavailableError(`The spilled value of ${spilled.key} cannot be read now: ${message}`, {
        cause,
      });
    listener.onUnreadable(reason);
    throw new LostDataError(`This worker has lost its value of ${spilled.key}: ${message}`, { cause });
  }
}

async function readWhole(chunks: AsyncIterable<Uint8Array>, rawBytes: number): Promise<Uint8Array> {
  const data = new Uint8Array(rawBytes);
  let at = 0;
  for await (const chunk of chunks) {
    data.set(chunk, at);
    at += chunk.byteLength;
  }
  return data;
}
