/**
 * Which values may leave RAM, which are leaving, and what became of those that could not. A value may leave unless an
 * executing task uses it, it is leaving already, or it failed a moment ago. Not: how much has to go (pressure.ts).
 */
import { assert, type TaskKey } from '@spillway/kernel';
import type { SpillFailureReason } from '@spillway/messages';
import type { Accounting } from './accounting.js';
import { DiskTrouble } from './disk-trouble.js';
import type { Evicted } from './events.js';
import { EvictionOrder, type Preference } from './eviction-order.js';
import type { StoredValue } from './stored-value.js';

/** Most values in one `evict`: keeps every event short. The outcome of one asks for the next. */
const KEYS_MAX = 1000;
const REST_MS_MIN = 1000;
const REST_MS_MAX = 30_000;

export interface Eviction {
  readonly evictId: number;
  readonly keys: readonly TaskKey[];
}

export class Evictions {
  readonly order = new EvictionOrder();
  readonly disk = new DiskTrouble();
  readonly #accounting: Accounting;
  readonly #pinCounts = new Map<TaskKey, number>();
  readonly #resting = new Set<StoredValue>();
  #restEndMs: number | undefined;
  #evictCount = 0;
  #leavingBytes = 0;
  #leavingCount = 0;
  #writingBytes = 0;
  #writingCount = 0;

  constructor(accounting: Accounting) {
    this.#accounting = accounting;
  }

  /** Bytes that are on their way out of RAM. */
  get leavingBytes(): number {
    return this.#leavingBytes;
  }

  get leavingCount(): number {
    return this.#leavingCount;
  }

  /** The part of them that has to be written first: the spill debt (D7). */
  get debtBytes(): number {
    return this.#writingBytes;
  }

  get pinnedCount(): number {
    return this.#pinCounts.size;
  }

  /** Whether anything could be evicted now. */
  get hasCandidate(): boolean {
    return this.order.next('cheapest', this.disk.mayWrite(this.#writingCount)) !== undefined;
  }

  get nextWakeMs(): number | undefined {
    const diskMs = this.disk.nextWakeMs;
    if (this.#restEndMs === undefined || diskMs === undefined) return this.#restEndMs ?? diskMs;
    return Math.min(this.#restEndMs, diskMs);
  }

  isPinned(key: TaskKey): boolean {
    return this.#pinCounts.has(key);
  }

  /** The value came into RAM, or may be a candidate again. */
  list(value: StoredValue): void {
    const isFree =
      value.evictId === undefined && value.restUntilMs === undefined && !this.isPinned(value.key);
    if (isFree && value.isInRam && !value.isListed) this.order.add(value);
  }

  forget(value: StoredValue): void {
    this.order.remove(value);
    this.#resting.delete(value);
    if (value.evictId !== undefined) this.#left(value);
    if (value.place.name !== 'ram') this.disk.onRemoved();
  }

  pin(keys: readonly TaskKey[]): void {
    for (const key of keys) {
      this.#pinCounts.set(key, (this.#pinCounts.get(key) ?? 0) + 1);
      const value = this.#accounting.get(key);
      if (value !== undefined) this.order.remove(value);
    }
  }

  unpin(keys: readonly TaskKey[]): void {
    for (const key of keys) {
      const count = this.#pinCounts.get(key);
      assert(count !== undefined, `${key} is unpinned more often than it was pinned`);
      if (count > 1) {
        this.#pinCounts.set(key, count - 1);
        continue;
      }
      this.#pinCounts.delete(key);
      const value = this.#accounting.get(key);
      if (value !== undefined) this.list(value);
    }
  }

  /** Takes values until they come to `needBytes`, or none is left; `undefined` for none. */
  take(needBytes: number, preference: Preference): Eviction | undefined {
    const evictId = this.#evictCount + 1;
    const keys: TaskKey[] = [];
    for (let takenBytes = 0; takenBytes < needBytes && keys.length < KEYS_MAX;) {
      const value = this.order.next(preference, this.disk.mayWrite(this.#writingCount));
      if (value === undefined) break;
      this.order.remove(value);
      this.#leaves(value, evictId);
      keys.push(value.key);
      takenBytes += value.nbytes;
    }
    if (keys.length === 0) return undefined;
    this.#evictCount = evictId;
    return { evictId, keys };
  }

  /** Returns the bytes that left RAM. What was freed meanwhile is of no account. */
  onDone(evictId: number, evicted: readonly Evicted[]): number {
    let bytes = 0;
    for (const { key, diskBytes } of evicted) {
      const value = this.#accounting.get(key);
      if (value?.evictId !== evictId) continue;
      if (!value.isClean) this.disk.onWritten();
      this.#left(value);
      value.failedCount = 0;
      this.#accounting.move(value, { name: 'disk', diskBytes });
      bytes += value.nbytes;
    }
    return bytes;
  }

  /** On disk, and in RAM as before: evicting them again will write nothing. */
  onKept(evictId: number, kept: readonly Evicted[]): void {
    for (const { key, diskBytes } of kept) {
      const value = this.#accounting.get(key);
      if (value?.evictId !== evictId) continue;
      if (!value.isClean) this.disk.onWritten();
      this.#left(value);
      value.failedCount = 0;
      this.#accounting.move(value, { name: 'both', diskBytes });
      this.list(value);
    }
  }

  onFailed(evictId: number, keys: readonly TaskKey[], reason: SpillFailureReason, nowMs: number): void {
    for (const key of keys) {
      const value = this.#accounting.get(key);
      if (value?.evictId !== evictId) continue;
      this.#left(value);
      this.disk.onRefused(reason, nowMs);
      // What is left below `max-spill` may be enough for others: the same value is not to be tried each time.
      if (reason === 'limit-reached') this.#rest(value, nowMs);
      this.list(value);
    }
  }

  /** Lets time pass: what has rested long enough is a candidate again. */
  onTime(nowMs: number): void {
    this.disk.onTime(nowMs);
    if (this.#restEndMs === undefined || nowMs < this.#restEndMs) return;
    this.#restEndMs = undefined;
    for (const value of this.#resting) {
      if (value.restUntilMs === undefined || value.restUntilMs > nowMs) {
        this.#noteRestEnd(value.restUntilMs);
        continue;
      }
      value.restUntilMs = undefined;
      this.#resting.delete(value);
      this.list(value);
    }
  }

  #rest(value: StoredValue, nowMs: number): void {
    value.restUntilMs = nowMs + Math.min(REST_MS_MAX, REST_MS_MIN * 2 ** value.failedCount);
    value.failedCount++;
    this.#resting.add(value);
    this.#noteRestEnd(value.restUntilMs);
  }

  #noteRestEnd(restEndMs: number | undefined): void {
    if (restEndMs !== undefined) this.#restEndMs = Math.min(this.#restEndMs ?? Infinity, restEndMs);
  }

  #leaves(value: StoredValue, evictId: number): void {
    value.evictId = evictId;
    this.#leavingBytes += value.nbytes;
    this.#leavingCount++;
    if (value.isClean) return;
    this.#writingBytes += value.nbytes;
    this.#writingCount++;
  }

  #left(value: StoredValue): void {
    value.evictId = undefined;
    this.#leavingBytes -= value.nbytes;
    this.#leavingCount--;
    if (value.isClean) return;
    this.#writingBytes -= value.nbytes;
    this.#writingCount--;
  }
}
