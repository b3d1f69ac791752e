/**
 * Which values are held, where, and what they come to. Exact: every total changes together with the value it counts. Not:
 * which of them may be evicted (evictions.ts), nor what the process uses beside them (breakdown.ts).
 */
import type { TaskKey } from '@spillway/kernel';
import { StoredValue, type Place } from './stored-value.js';

export class Accounting {
  readonly #values = new Map<TaskKey, StoredValue>();
  #ramBytes = 0;
  #cleanBytes = 0;
  #diskBytes = 0;
  #cachedBytes = 0;

  /** Bytes of values in RAM, those being evicted included. */
  get ramBytes(): number {
    return this.#ramBytes;
  }

  /** The part of `ramBytes` that is on disk too. */
  get cleanBytes(): number {
    return this.#cleanBytes;
  }

  /** Bytes on disk, as written, those of values that are in RAM too included. */
  get diskBytes(): number {
    return this.#diskBytes;
  }

  /** Decoded copies that executor threads cache, by `sizeof`. */
  get cachedBytes(): number {
    return this.#cachedBytes;
  }

  /** Managed memory: encoded values in RAM and cached decoded copies (D2). */
  get managedBytes(): number {
    return this.#ramBytes + this.#cachedBytes;
  }

  get count(): number {
    return this.#values.size;
  }

  get(key: TaskKey): StoredValue | undefined {
    return this.#values.get(key);
  }

  all(): IterableIterator<StoredValue> {
    return this.#values.values();
  }

  /** Requires: the key is not known. */
  add(key: TaskKey, nbytes: number, place: Place): StoredValue {
    const value = new StoredValue(key, nbytes);
    value.place = place;
    this.#values.set(key, value);
    this.#count(value, 1);
    return value;
  }

  move(value: StoredValue, place: Place): void {
    this.#count(value, -1);
    value.place = place;
    this.#count(value, 1);
  }

  remove(value: StoredValue): void {
    this.#count(value, -1);
    this.#values.delete(value.key);
  }

  setCached(bytes: number): void {
    this.#cachedBytes = bytes;
  }

  #count(value: StoredValue, sign: 1 | -1): void {
    const { place, nbytes } = value;
    if (place.name !== 'disk') this.#ramBytes += sign * nbytes;
    if (place.name === 'both') this.#cleanBytes += sign * nbytes;
    if (place.name !== 'ram') this.#diskBytes += sign * place.diskBytes;
  }
}
