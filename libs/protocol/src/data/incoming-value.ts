/**
 * A value that arrives in chunks, put together in a destination of exactly its size. Everything it is told came over
 * the network and is checked before it is used.
 */
import { asTaskKey, InvalidArgumentError, LimitExceededError, type TaskKey } from '@spillway/kernel';
import { type Encoding, ENCODINGS, KEY_LENGTH_MAX, SMALL_VALUE_BYTES } from '@spillway/messages';
import type { ArrivedValue } from '@spillway/ports';
import { copyInto } from './aligned-copy.js';
import type { ValueStart } from './wire.js';

export class IncomingValue {
  readonly key: TaskKey;
  readonly #encoding: Encoding;
  readonly #data: Uint8Array;
  #arrivedBytes = 0;

  /** Throws `InvalidArgumentError` for a malformed start and `LimitExceededError` for a size over `sizeBytesMax`. */
  constructor(start: ValueStart, sizeBytesMax: number) {
    this.key = checkedKey(start.key ?? '');
    this.#encoding = checkedEncoding(start.encoding ?? '', this.key);
    this.#data = allocate(checkedSize(start.sizeBytes ?? 0, sizeBytesMax, this.key), this.key);
  }

  get isComplete(): boolean {
    return this.#arrivedBytes === this.#data.byteLength;
  }

  /** Copies the chunk to its place. Throws `InvalidArgumentError` when more comes than was announced. */
  take(chunk: Uint8Array): void {
    const sizeBytes = this.#data.byteLength;
    if (chunk.byteLength === 0) throw new InvalidArgumentError(`Value ${this.key}: a chunk is empty.`);
    if (this.#arrivedBytes + chunk.byteLength > sizeBytes) {
      throw new InvalidArgumentError(
        `Value ${this.key} was announced with ${sizeBytes} bytes, and more than that arrived.`,
      );
    }
    copyInto(this.#data, this.#arrivedBytes, chunk);
    this.#arrivedBytes += chunk.byteLength;
  }

  /** The whole value. Throws `InvalidArgumentError` when it is not complete. */
  finish(): ArrivedValue {
    if (!this.isComplete) {
      throw new InvalidArgumentError(
        `Value ${this.key} was announced with ${this.#data.byteLength} bytes, but only ${this.#arrivedBytes} arrived.`,
      );
    }
    return { key: this.key, payload: { encoding: this.#encoding, data: this.#data } };
  }
}

/** Throws `InvalidArgumentError` unless the text may be a key. */
export function checkedKey(text: string): TaskKey {
  if (text.length === 0 || text.length > KEY_LENGTH_MAX) {
    throw new InvalidArgumentError(
      `A key must have 1 to ${KEY_LENGTH_MAX} characters; this one has ${text.length}.`,
    );
  }
  return asTaskKey(text);
}

function checkedEncoding(text: string, key: TaskKey): Encoding {
  const encoding = ENCODINGS.find((known) => known === text);
  if (encoding !== undefined) return encoding;
  throw new InvalidArgumentError(
    `Value ${key} has the unknown encoding ${JSON.stringify(text.slice(0, 100))}; known are ${ENCODINGS.join(', ')}.`,
  );
}

function checkedSize(sizeBytes: number, sizeBytesMax: number, key: TaskKey): number {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
    throw new InvalidArgumentError(`Value ${key}: size_bytes must be a whole number below 2^53.`);
  }
  if (sizeBytes > sizeBytesMax) {
    throw new LimitExceededError(
      `Value ${key} is announced with ${sizeBytes} bytes; ${sizeBytesMax} are allowed.`,
      {
        details: { limit: 'value-bytes' },
      },
    );
  }
  return sizeBytes;
}

function allocate(sizeBytes: number, key: TaskKey): Uint8Array {
  if (sizeBytes <= SMALL_VALUE_BYTES) return new Uint8Array(sizeBytes);
  try {
    return new Uint8Array(new SharedArrayBuffer(sizeBytes));
  } catch (cause) {
    throw new LimitExceededError(`There is no room for value ${key} of ${sizeBytes} bytes.`, {
      details: { limit: 'allocation' },
      cause,
    });
  }
}
