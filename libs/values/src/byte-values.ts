/** The encodings whose payload is the value: `bytes` and `arrow-stream`. */
import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import { allocate, asBuffer } from './memory.js';
import { NotClonableError } from './unencodable.js';

/** Copies the bytes. Text is taken as UTF-8 where it is allowed. Throws `NotClonableError` for anything else. */
export function encodeBytes(value: unknown, isTextAllowed: boolean, shared: boolean): Uint8Array {
  if (typeof value === 'string' && isTextAllowed) {
    const target = allocate(Buffer.byteLength(value, 'utf8'), shared);
    asBuffer(target).write(value, 'utf8');
    return target;
  }
  const source = bytesOf(value);
  const target = allocate(source.byteLength, shared);
  target.set(source);
  return target;
}

function bytesOf(value: unknown): Uint8Array {
  if (types.isUint8Array(value)) return value;
  if (types.isAnyArrayBuffer(value)) return new Uint8Array(value);
  throw new NotClonableError(value);
}
