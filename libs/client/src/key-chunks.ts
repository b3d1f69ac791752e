/** Splits lists of keys, so that what is said of a million of them stays far below the bound of one message. */
import type { TaskKey } from '@spillway/kernel';

/** Keys of one message. */
const KEYS_MAX = 10_000;
const CHUNK_BYTES_MAX = 1024 * 1024;

/** In order; each chunk has at least one key, at most `keysMax`, and below 1 MiB. */
export function* keyChunks(
  keys: Iterable<TaskKey>,
  keysMax = KEYS_MAX,
): Generator<readonly TaskKey[], void, undefined> {
  let chunk: TaskKey[] = [];
  let bytes = 0;
  for (const key of keys) {
    const keyBytes = Buffer.byteLength(key) + 4;
    if (chunk.length >= keysMax || (chunk.length > 0 && bytes + keyBytes > CHUNK_BYTES_MAX)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(key);
    bytes += keyBytes;
  }
  if (chunk.length > 0) yield chunk;
}
