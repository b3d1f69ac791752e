/**
 * Decoded inputs, and plain results, that the thread keeps for its next tasks (D2), the least recently used ones going
 * first. A copy is handed out only for the very bytes it was made from: its key may have been computed anew meanwhile.
 * Invariant: `readings.cachedBytes` is the sum of what is kept, and never above `bytesMax`.
 */
import type { Payload } from '@spillway/messages';
import { checksum, decodeValue, sizeof, sizeofWithout } from '@spillway/values';
import { isShared } from '../pack.js';
import type { ThreadReadings } from '../thread-readings.js';
import { isPlainData } from './plain-data.js';

/** Smaller values are decoded as fast as they are looked up. */
const ENCODED_BYTES_MIN = 4096;
/** A value that takes less than one part in so many of its bytes is little more than views of them: it decodes at once. */
const VIEWS_PARTS = 8;

interface Copy {
  readonly value: object;
  /** By `sizeof`, without the encoded bytes where they are the store's. */
  readonly bytes: number;
  readonly digest: bigint;
}

export class DecodedCopies {
  readonly #copies = new Map<string, Copy>();
  readonly #bytesMax: number;
  readonly #readings: ThreadReadings;
  #bytes = 0;

  constructor(bytesMax: number, readings: ThreadReadings) {
    this.#bytesMax = bytesMax;
    this.#readings = readings;
  }

  /** The decoded value, from here or decoded now. An empty key is one that is not known. */
  valueOf(key: string, payload: Payload): unknown {
    if (key === '' || !isWorthwhile(payload)) return decodeValue(payload);
    const digest = checksum(payload.data);
    const known = this.#copies.get(key);
    if (known?.digest === digest) {
      this.#copies.delete(key);
      this.#copies.set(key, known);
      return known.value;
    }
    const own = aloneInItsBuffer(payload);
    const value = decodeValue(own);
    this.#keep(key, value, own, digest);
    return value;
  }

  /** `payload`: the encoded form of the value. */
  keepResult(key: string, value: unknown, payload: Payload): void {
    // Only structured clone gives back what it was given.
    if (payload.encoding !== 'v8' || !isWorthwhile(payload) || !isPlain(value, payload)) return;
    this.#keep(key, value, payload, checksum(payload.data));
  }

  forget(keys: readonly string[]): void {
    for (const key of keys) this.#remove(key);
    this.#tell();
  }

  drop(): void {
    this.#copies.clear();
    this.#bytes = 0;
    this.#tell();
  }

  #keep(key: string, value: unknown, payload: Payload, digest: bigint): void {
    this.#remove(key);
    if (typeof value === 'object' && value !== null) {
      const { data } = payload;
      const besideBytes = sizeofWithout(value, data.buffer);
      const bytes = isShared(data) ? besideBytes : sizeof(value);
      if (bytes <= this.#bytesMax && besideBytes * VIEWS_PARTS >= data.byteLength) {
        this.#makeRoom(bytes);
        this.#copies.set(key, { value, bytes, digest });
        this.#bytes += bytes;
      }
    }
    this.#tell();
  }

  #makeRoom(bytes: number): void {
    for (const key of this.#copies.keys()) {
      if (this.#bytes + bytes <= this.#bytesMax) return;
      this.#remove(key);
    }
  }

  #remove(key: string): void {
    const copy = this.#copies.get(key);
    if (copy === undefined) return;
    this.#copies.delete(key);
    this.#bytes -= copy.bytes;
  }

  #tell(): void {
    this.#readings.cachedBytes = this.#bytes;
  }
}

/** What has views into a pack would keep all of it alive. */
function aloneInItsBuffer(payload: Payload): Payload {
  const { encoding, data } = payload;
  return isShared(data) || data.byteLength === data.buffer.byteLength
    ? payload
    : { encoding, data: data.slice() };
}

const isWorthwhile = ({ encoding, data }: Payload): boolean =>
  (encoding === 'v8' || encoding === 'json') && data.byteLength > ENCODED_BYTES_MIN;

function isPlain(value: unknown, payload: Payload): boolean {
  try {
    // An element takes a byte at least.
    return isPlainData(value, payload.data.byteLength);
  } catch {
    // An accessor that was read before, by the encoder, and now throws.
    return false;
  }
}
