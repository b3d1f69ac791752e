import { isUtf8 } from 'node:buffer';
import { MalformedError } from './container.js';
import { asBuffer } from './memory.js';

/** The text of UTF-8 bytes, in ordinary or shared memory; `MalformedError` if they are not UTF-8. */
export function decodeText(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new MalformedError('it is not UTF-8');
  return asBuffer(bytes).toString('utf8');
}
