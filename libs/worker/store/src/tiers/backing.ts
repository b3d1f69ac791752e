/** What a stored value keeps alive: its own bytes, not those of a larger buffer it happens to lie in. */
import { types } from 'node:util';
import type { Payload } from '@spillway/messages';

/** Larger values are not copied on the control loop; they come in buffers of their own. */
const COPIED_BYTES_MAX = 1024 * 1024;

/** The payload, in a buffer of its own where it is less than half of the buffer it lies in. */
export function compacted(payload: Payload): Payload {
  const { encoding, data } = payload;
  if (data.byteLength * 2 >= data.buffer.byteLength || data.byteLength > COPIED_BYTES_MAX) return payload;
  const own = new Uint8Array(
    types.isSharedArrayBuffer(data.buffer)
      ? new SharedArrayBuffer(data.byteLength)
      : new ArrayBuffer(data.byteLength),
  );
  own.set(data);
  return { encoding, data: own };
}
