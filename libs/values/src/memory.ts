/**
 * The memory that encoded values live in: which kind is allocated, and copies for interfaces that refuse shared memory.
 * Nothing here reads or writes an encoding.
 */
import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import { SMALL_VALUE_BYTES, type Payload } from '@spillway/messages';
import { TooLargeError } from './unencodable.js';
import { copyOfView } from './view-types.js';

/**
 * A zeroed block of exactly this size, never a part of Node's buffer pool: nothing else is kept alive by it. Small ones are
 * ordinary memory even when shared memory was asked for.
 */
export function allocate(sizeBytes: number, shared: boolean): Uint8Array {
  try {
    return shared && sizeBytes > SMALL_VALUE_BYTES
      ? new Uint8Array(new SharedArrayBuffer(sizeBytes))
      : new Uint8Array(sizeBytes);
  } catch {
    throw new TooLargeError(sizeBytes);
  }
}

/** The same bytes as a Node `Buffer`, uncopied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Size of an encoded value: what it counts for in managed memory. */
export function payloadBytes(payload: Payload): number {
  return payload.data.byteLength;
}

/** A copy of the bytes in ordinary memory of exactly their size. */
export function copyOut(bytes: ArrayBufferView): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return copy;
}

/**
 * The same value in ordinary memory: a copy of the same type when it lies in a `SharedArrayBuffer`, else itself.
 * Large task inputs lie in shared memory, which WebCrypto, `Request` and `Response` bodies and transfer lists refuse.
 */
export function unshared<T extends ArrayBufferView>(view: T): T {
  return types.isSharedArrayBuffer(view.buffer) ? copyOfView(view) : view;
}
