/**
 * How payloads cross between the worker's main thread and a task thread: many small ones copied into one buffer, large
 * ones as the shared buffers they are in. A pack also carries the numbers and texts that go with them, so that a turn's
 * executions cost one structured clone of four flat lists. What the numbers mean is `run-pack.ts`.
 */
import { types } from 'node:util';
import { must } from '@spillway/kernel';
import { ENCODINGS, type Encoding, type Payload } from '@spillway/messages';

export interface Pack {
  readonly numbers: Float64Array;
  readonly texts: readonly string[];
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly shared: readonly SharedArrayBuffer[];
}

/** Data above this is looked for among what is in the pack already: many tasks of a pack may use one value. */
const REPEATED_BYTES_MIN = 256;
/** Ordinary data above this gets a shared buffer of its own, so that one small survivor cannot keep it alive. */
const PACKED_BYTES_MAX = 64 * 1024;
/** Typed arrays are read in place; eight is the strictest alignment any of them wants. */
const ALIGNMENT_BYTES = 8;
const IN_PACK = -1;

const alignUp = (bytes: number): number => Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;

export const encodingIndex = (encoding: Encoding): number => ENCODINGS.indexOf(encoding);
export const encodingAt = (index: number): Encoding => must(ENCODINGS[index], `encoding ${index}`);

/** True for data that other threads see without a copy. Works across realms, unlike `instanceof`. */
export const isShared = (data: Uint8Array): boolean => types.isSharedArrayBuffer(data.buffer);

/** The data in a shared buffer of exactly its size. */
export function copyToShared(data: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(data.byteLength));
  copy.set(data);
  return copy;
}

export class PackWriter {
  readonly #numbers: number[] = [];
  readonly #texts: string[] = [];
  readonly #shared: SharedArrayBuffer[] = [];
  readonly #parts: Uint8Array[] = [];
  readonly #offsets = new Map<Uint8Array, number>();
  #byteCount = 0;

  number(value: number): void {
    this.#numbers.push(value);
  }

  text(value: string): void {
    this.#texts.push(value);
  }

  payload({ encoding, data }: Payload): void {
    if (!isShared(data) && data.byteLength <= PACKED_BYTES_MAX) {
      this.#numbers.push(encodingIndex(encoding), IN_PACK, this.#place(data), data.byteLength);
      return;
    }
    const shared = isShared(data) ? data : copyToShared(data);
    this.#numbers.push(encodingIndex(encoding), this.#shared.length, shared.byteOffset, shared.byteLength);
    this.#shared.push(shared.buffer as SharedArrayBuffer);
  }

  #place(data: Uint8Array): number {
    const isLarge = data.byteLength >= REPEATED_BYTES_MIN;
    const known = isLarge ? this.#offsets.get(data) : undefined;
    if (known !== undefined) return known;
    const offset = this.#byteCount;
    if (isLarge) this.#offsets.set(data, offset);
    this.#parts.push(data);
    this.#byteCount += alignUp(data.byteLength);
    return offset;
  }

  finish(): Pack {
    const bytes = new Uint8Array(this.#byteCount);
    let offset = 0;
    for (const part of this.#parts) {
      bytes.set(part, offset);
      offset += alignUp(part.byteLength);
    }
    return { numbers: new Float64Array(this.#numbers), texts: this.#texts, bytes, shared: this.#shared };
  }
}

/** Reads a pack in the order in which it was written. */
export class PackReader {
  readonly #pack: Pack;
  #nextNumber = 0;
  #nextText = 0;

  constructor(pack: Pack) {
    this.#pack = pack;
  }

  number(): number {
    return must(this.#pack.numbers[this.#nextNumber++], 'number in pack');
  }

  text(): string {
    return must(this.#pack.texts[this.#nextText++], 'text in pack');
  }

  payload(): Payload {
    const encoding = encodingAt(this.number());
    const place = this.number();
    const offset = this.number();
    const length = this.number();
    const data =
      place === IN_PACK
        ? this.#pack.bytes.subarray(offset, offset + length)
        : new Uint8Array(must(this.#pack.shared[place], 'shared buffer in pack'), offset, length);
    return { encoding, data };
  }
}
