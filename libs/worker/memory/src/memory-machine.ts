/**
 * The worker's memory, decided: events in, instructions out (style.md 5.5 "Memory pressure on one worker", architecture.md
 * D5 to D8). Covers what is spilled, reclaimed and paused, and what is said about it. Not: bytes and files (worker/store),
 * tasks (worker/machine), isolates, malloc and clocks (runtime), and ending the process from outside (nanny).
 */
import { assertNever, InvariantError, type TaskKey } from '@spillway/kernel';
import type { SpillFailureReason } from '@spillway/messages';
import type { MemoryBreakdown } from './breakdown.js';
import { MemoryContext } from './context.js';
import { Credit } from './credit.js';
import type { Adopted, MemoryEvent } from './events.js';
import type { Admission, MemoryInstruction } from './instructions.js';
import { brokenPromise } from './invariants.js';
import type { MemoryMachineOptions } from './options.js';
import { Pause } from './pause.js';
import { Pressure } from './pressure.js';
import { Reclaim } from './reclaim.js';
import { Room } from './room.js';
import { IN_RAM } from './stored-value.js';

/** What a worker's memory comes to: for heartbeats, queries and metrics. */
export interface MemoryState extends MemoryBreakdown {
  readonly limitBytes: number | false;
  /** Managed memory as counted: the sample of process memory may be older, and `managedBytes` is part of that. */
  readonly countedBytes: number;
  /** Process memory less what is known to be reclaimable: what decisions are made on. */
  readonly liveBytes: number;
  /** On disk, as written; not part of process memory. */
  readonly spilledBytes: number;
  /** The part of managed memory that is on disk as well. */
  readonly cleanBytes: number;
  /** The part of managed memory that is on its way out of RAM, as far as has been told. */
  readonly leavingBytes: number;
  /** What of that is being written to disk. */
  readonly spillDebtBytes: number;
  readonly keyCount: number;
  /** The disk takes no values at present. */
  readonly spillRefusedBecause: SpillFailureReason | undefined;
  /** It spills, did so a moment ago, or holds tasks back. */
  readonly isUnderPressure: boolean;
}

export class MemoryMachine {
  readonly #context: MemoryContext;
  readonly #reclaim: Reclaim;
  readonly #pressure: Pressure;
  readonly #pause: Pause;
  readonly #credit: Credit;
  readonly #room: Room;

  constructor(options: MemoryMachineOptions) {
    this.#context = new MemoryContext(options);
    this.#reclaim = new Reclaim(this.#context);
    this.#pressure = new Pressure(this.#context, this.#reclaim);
    this.#pause = new Pause(this.#context, this.#pressure, this.#reclaim);
    this.#credit = new Credit(this.#context, this.#pressure);
    this.#room = new Room(this.#context);
  }

  /** Takes one event and says what to do. Order matters: perform all instructions, in order, before the next event. */
  handle(event: MemoryEvent, nowMs: number): MemoryInstruction[] {
    const context = this.#context;
    context.begin(event.stimulusId, nowMs);
    context.evictions.onTime(nowMs);
    this.#take(event);
    this.#reclaim.onTime();
    this.#pause.onTime();
    this.#pressure.relieveTarget();
    this.#credit.review();
    this.#room.review();
    return context.instructions;
  }

  /** When to send a `tick`, if nothing else happens before. In the past: at once. */
  get nextWakeMs(): number | undefined {
    const times = [this.#context.evictions.nextWakeMs, this.#reclaim.nextWakeMs, this.#pause.nextWakeMs];
    const next = Math.min(...times.map((time) => time ?? Infinity));
    return next === Infinity ? undefined : next;
  }

  /** Paused by memory pressure. An operator's pause is not known here. */
  get isPaused(): boolean {
    return this.#pause.isPaused;
  }

  get admission(): Admission {
    return this.#credit.admission;
  }

  /** Managed + unmanaged old + unmanaged recent is exactly process. */
  readings(): MemoryState {
    const { accounting, breakdown, evictions, liveBytes, thresholds } = this.#context;
    return {
      ...breakdown,
      limitBytes: thresholds.limitBytes,
      countedBytes: accounting.managedBytes,
      liveBytes,
      spilledBytes: accounting.diskBytes,
      cleanBytes: accounting.cleanBytes,
      leavingBytes: evictions.leavingBytes,
      spillDebtBytes: evictions.debtBytes,
      keyCount: accounting.count,
      spillRefusedBecause: evictions.disk.reason,
      isUnderPressure: this.isPaused || this.admission !== 'open' || this.#pressure.isSpillingOrDidSo,
    };
  }

  /** Whether an executing task uses the value. */
  isPinned(key: TaskKey): boolean {
    return this.#context.evictions.isPinned(key);
  }

  /** Where the value is; `undefined` for keys that are not held. */
  placeOf(key: TaskKey): 'ram' | 'both' | 'disk' | undefined {
    return this.#context.accounting.get(key)?.place.name;
  }

  /** Throws `InvariantError` unless everything the machine promises of itself holds. Looks at every value. */
  check(): void {
    const broken = brokenPromise(this.#context);
    if (broken !== undefined) throw new InvariantError(`${broken} (cause ${this.#context.stimulusId})`);
  }

  #take(event: MemoryEvent): void {
    switch (event.type) {
      case 'value-stored':
        this.#onStored(event.key, event.nbytes);
        break;
      case 'values-adopted':
        for (const value of event.values) this.#onAdopted(value);
        break;
      case 'value-touched':
        this.#onTouched(event.key);
        break;
      case 'value-loaded':
        this.#onLoaded(event.key);
        break;
      case 'value-freed':
        this.#onFreed(event.key);
        break;
      case 'inputs-pinned':
        this.#context.evictions.pin(event.keys);
        break;
      case 'inputs-unpinned':
        this.#context.evictions.unpin(event.keys);
        break;
      case 'copies-cached':
        this.#context.onCopiesCached(event.bytes);
        break;
      case 'evict-done':
      case 'evict-kept':
      case 'evict-failed':
        this.#onEvictEnded(event);
        break;
      case 'memory-sampled':
        this.#onSampled(event);
        break;
      case 'collected':
        this.#reclaim.onCollected(event.durationMs);
        break;
      case 'trimmed':
        this.#reclaim.onTrimmed(event.durationMs, event.isSupported);
        break;
      case 'limit-changed':
        this.#onLimitChanged(event.limitBytes);
        break;
      case 'tick':
        break;
      default:
        assertNever(event, 'memory event');
    }
  }

  // ---- values -------------------------------------------------------------------------------------------------------

  #onStored(key: TaskKey, nbytes: number): void {
    const { accounting, evictions } = this.#context;
    // Values do not change: putting one again is reading it.
    if (accounting.get(key) !== undefined) {
      this.#onTouched(key);
      return;
    }
    evictions.list(accounting.add(key, nbytes, IN_RAM));
  }

  #onAdopted({ key, nbytes, diskBytes }: Adopted): void {
    const { accounting } = this.#context;
    if (accounting.get(key) === undefined) accounting.add(key, nbytes, { name: 'disk', diskBytes });
  }

  #onTouched(key: TaskKey): void {
    const value = this.#context.accounting.get(key);
    if (value !== undefined) this.#context.evictions.order.touch(value);
  }

  #onLoaded(key: TaskKey): void {
    const { accounting, evictions } = this.#context;
    const value = accounting.get(key);
    if (value === undefined) return;
    if (value.place.name !== 'disk') {
      this.#onTouched(key);
      return;
    }
    accounting.move(value, { name: 'both', diskBytes: value.place.diskBytes });
    evictions.list(value);
  }

  #onFreed(key: TaskKey): void {
    const { accounting, evictions } = this.#context;
    const value = accounting.get(key);
    if (value === undefined) return;
    evictions.forget(value);
    accounting.remove(value);
    if (value.isInRam) this.#reclaim.onDropped(value.nbytes);
  }

  #onEvictEnded(event: Extract<MemoryEvent, { type: 'evict-done' | 'evict-kept' | 'evict-failed' }>): void {
    const { evictions, nowMs } = this.#context;
    const { evictId } = event;
    if (event.type === 'evict-done') this.#reclaim.onDropped(evictions.onDone(evictId, event.evicted));
    else if (event.type === 'evict-kept') evictions.onKept(evictId, event.kept);
    else evictions.onFailed(evictId, event.keys, event.reason, nowMs);
    this.#pressure.relieveProcess();
  }

  // ---- process memory -----------------------------------------------------------------------------------------------

  #onSampled(event: Extract<MemoryEvent, { type: 'memory-sampled' }>): void {
    this.#context.onSample(event.processBytes, event.hoard ?? {}, event.executingCount ?? 0);
    this.#reclaim.onSample();
    this.#pause.review(true);
    this.#pressure.relieveProcess();
  }

  #onLimitChanged(limitBytes: number | false): void {
    this.#context.setLimit(limitBytes);
    this.#reclaim.onLimitChanged();
    this.#pause.review(false);
    this.#pressure.relieveProcess();
  }
}
