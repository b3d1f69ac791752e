/**
 * Messages that carry nothing but a chunk, encoded by hand: one copy into a buffer that serves all chunks of a
 * transfer, where the generated code grows, moves and copies a new one for each.
 */
import { copyInto } from './aligned-copy.js';

/** Length-delimited fields: `FetchValuesResponse.steps` is 1; `chunk` is 2 in both `FetchStep` and `PutValueRequest`. */
const STEPS_TAG = (1 << 3) | 2;
const CHUNK_TAG = (2 << 3) | 2;
/** Two tags and two lengths of at most 5 bytes. */
const HEADER_BYTES_MAX = 12;

export class ChunkEncoder {
  #buffer = Buffer.alloc(0);

  constructor(private readonly message: 'fetch-response' | 'put-request') {}

  /** Requires: the message before has left, as its bytes are overwritten. */
  encode(chunk: Uint8Array): Buffer {
    if (this.#buffer.byteLength < chunk.byteLength + HEADER_BYTES_MAX) {
      this.#buffer = Buffer.allocUnsafeSlow(chunk.byteLength + HEADER_BYTES_MAX);
    }
    let at = 0;
    if (this.message === 'fetch-response') {
      const stepBytes = 1 + lengthOfVarint(chunk.byteLength) + chunk.byteLength;
      at = this.#writeTag(at, STEPS_TAG, stepBytes);
    }
    at = this.#writeTag(at, CHUNK_TAG, chunk.byteLength);
    copyInto(this.#buffer, at, chunk);
    return this.#buffer.subarray(0, at + chunk.byteLength);
  }

  #writeTag(at: number, tag: number, lengthBytes: number): number {
    let next = this.#buffer.writeUInt8(tag, at);
    let rest = lengthBytes;
    for (; rest > 0x7f; rest >>>= 7) next = this.#buffer.writeUInt8((rest & 0x7f) | 0x80, next);
    return this.#buffer.writeUInt8(rest, next);
  }
}

function lengthOfVarint(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) bytes += 1;
  return bytes;
}
