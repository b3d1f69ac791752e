/**
 * Which values are held, and in which tiers. The one place where a value changes tiers, so that the sums are right.
 *
 * Invariants: `ramBytes` is the sum of the bytes of all values in RAM; the records of values on disk are exactly those
 * live in the segment table.
 */
import type { TaskKey } from '@spillway/kernel';
import type { Encoding, Payload } from '@spillway/messages';
import type { LiveRecord } from './live-record.js';
import type { SegmentTable } from './segment-table.js';

/** A value is always in one of these: the type has no neither. */
type Tiers =
  | { readonly in: 'ram'; readonly payload: Payload }
  | { readonly in: 'disk'; readonly record: LiveRecord }
  | { readonly in: 'both'; readonly payload: Payload; readonly record: LiveRecord };

/** One value from `add` to `delete`. A key that is put again is another value. */
export class HeldValue {
  /** False from `delete` on; changed by `HeldValues` only. Looking the key up would cost more. */
  isHeld = true;

  constructor(
    readonly key: TaskKey,
    /** Changed by `HeldValues` only. */
    public tiers: Tiers,
    readonly encoding: Encoding,
    readonly rawBytes: number,
  ) {}

  get payload(): Payload | undefined {
    return this.tiers.in === 'disk' ? undefined : this.tiers.payload;
  }

  get record(): LiveRecord | undefined {
    return this.tiers.in === 'ram' ? undefined : this.tiers.record;
  }
}

export class HeldValues {
  readonly #values = new Map<TaskKey, HeldValue>();
  #ramBytes = 0;

  constructor(private readonly table: SegmentTable) {}

  get ramBytes(): number {
    return this.#ramBytes;
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: TaskKey): HeldValue | undefined {
    return this.#values.get(key);
  }

  keys(): Iterable<TaskKey> {
    return this.#values.keys();
  }

  add(key: TaskKey, payload: Payload): void {
    const { encoding, data } = payload;
    const held = new HeldValue(key, { in: 'ram', payload }, encoding, data.byteLength);
    this.#values.set(key, held);
    this.#count(held, 1);
  }

  /** A value that was on disk before. Requires: the record is in the segment table. */
  addFromDisk(record: LiveRecord, { encoding, rawBytes }: Pick<HeldValue, 'encoding' | 'rawBytes'>): void {
    const held = new HeldValue(record.key, { in: 'disk', record }, encoding, rawBytes);
    this.#values.set(record.key, held);
  }

  /** Drops the value in every tier. */
  delete(held: HeldValue): void {
    this.#values.delete(held.key);
    held.isHeld = false;
    this.#count(held, -1);
    if (held.record !== undefined) this.table.remove(held.record);
  }

  /** The value lies in this record on disk now, and in no other. */
  addToDisk(held: HeldValue, record: LiveRecord): void {
    const { payload } = held;
    this.table.add(record);
    if (held.record !== undefined) this.table.remove(held.record);
    this.#change(held, payload === undefined ? { in: 'disk', record } : { in: 'both', payload, record });
  }

  /** Returns the payload that is in RAM from now on. */
  addToRam(held: HeldValue, payload: Payload): Payload {
    const { tiers } = held;
    if (tiers.in !== 'disk') return tiers.payload;
    this.#change(held, { in: 'both', payload, record: tiers.record });
    return payload;
  }

  /** Does nothing to what is not on disk as well: there would be nothing left of it. */
  dropFromRam(held: HeldValue): void {
    const { tiers } = held;
    if (tiers.in === 'both') this.#change(held, { in: 'disk', record: tiers.record });
  }

  /** False, and nothing changes, when it is in RAM nowhere: there would be nothing left of it. */
  dropFromDisk(held: HeldValue): boolean {
    const { tiers } = held;
    if (tiers.in === 'disk') return false;
    if (tiers.in === 'both') this.table.remove(tiers.record);
    this.#change(held, { in: 'ram', payload: tiers.payload });
    return true;
  }

  #change(held: HeldValue, tiers: Tiers): void {
    this.#count(held, -1);
    held.tiers = tiers;
    this.#count(held, 1);
  }

  #count(held: HeldValue, sign: 1 | -1): void {
    this.#ramBytes += sign * (held.payload?.data.byteLength ?? 0);
  }
}
