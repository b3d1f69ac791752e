/**
 * Which values are held, and how far each has come into the container. The one place where that changes, so that the sums
 * are right.
 *
 * Invariant: `managedBytes` + `movedOutBytes` is the sum of the bytes of all values held; neither is ever negative.
 */
import type { TaskKey } from '@spillway/kernel';
import type { Encoding, Payload } from '@spillway/messages';

type Place =
  /** In RAM here: it waits for its `set`, or that is under way, or it was rejected. */
  | { readonly name: 'queued' | 'setting' | 'refused'; readonly payload: Payload }
  /** The container has it. */
  | { readonly name: 'contained' }
  /** The container has it, and counts as having it elsewhere than in RAM. */
  | { readonly name: 'moved-out' };

/** One value from `add` to `delete`. A key that is put again is another value. */
export class ContainedValue {
  readonly encoding: Encoding;
  readonly byteCount: number;
  /** How often the container was asked to take it. */
  setCount = 0;
  /** Resolves when the last attempt to set it has ended. */
  written: Promise<void> = Promise.resolve();

  constructor(
    readonly key: TaskKey,
    /** Changed by `ContainedValues` only. */
    public place: Place,
    { encoding, data }: Payload,
  ) {
    this.encoding = encoding;
    this.byteCount = data.byteLength;
  }

  get payload(): Payload | undefined {
    return 'payload' in this.place ? this.place.payload : undefined;
  }
}

export class ContainedValues {
  readonly #values = new Map<TaskKey, ContainedValue>();
  #totalBytes = 0;
  #containedBytes = 0;
  #movedOutBytes = 0;
  #creditBytes = 0;

  get managedBytes(): number {
    return this.#totalBytes - this.movedOutBytes;
  }

  get movedOutBytes(): number {
    return this.#movedOutBytes + this.#creditBytes;
  }

  /** Bytes that the container freed, of which it is not said yet to which values they count. */
  get creditBytes(): number {
    return this.#creditBytes;
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: TaskKey): ContainedValue | undefined {
    return this.#values.get(key);
  }

  keys(): Iterable<TaskKey> {
    return this.#values.keys();
  }

  add(key: TaskKey, payload: Payload): ContainedValue {
    const value = new ContainedValue(key, { name: 'queued', payload }, payload);
    this.#values.set(key, value);
    this.#count(value, 1);
    return value;
  }

  delete(value: ContainedValue): void {
    this.#values.delete(value.key);
    this.#count(value, -1);
    this.#boundCredit();
  }

  move(value: ContainedValue, place: Place): void {
    this.#count(value, -1);
    value.place = place;
    this.#count(value, 1);
    this.#boundCredit();
  }

  addCredit(bytes: number): void {
    this.#creditBytes += bytes;
    this.#boundCredit();
  }

  /** Counts the value among what was moved out, against the credit as far as that goes. */
  moveOut(value: ContainedValue): void {
    this.#creditBytes = Math.max(0, this.#creditBytes - value.byteCount);
    this.move(value, { name: 'moved-out' });
  }

  /** Only what is in the container can have left its RAM. */
  #boundCredit(): void {
    this.#creditBytes = Math.min(this.#creditBytes, this.#containedBytes);
  }

  #count({ place, byteCount }: ContainedValue, sign: 1 | -1): void {
    const bytes = sign * byteCount;
    this.#totalBytes += bytes;
    if (place.name === 'contained') this.#containedBytes += bytes;
    else if (place.name === 'moved-out') this.#movedOutBytes += bytes;
  }
}
