/** What the parts of the memory machine share: tables, the last sample, and the instructions of the event in hand. */
import type { StimulusId } from '@spillway/kernel';
import { Accounting } from './accounting.js';
import { breakDown, RollingMinimum, wholeBytes, type MemoryBreakdown } from './breakdown.js';
import type { HoardSample } from './events.js';
import { Evictions } from './evictions.js';
import type { Preference } from './eviction-order.js';
import { DroppedBytes, Hoard } from './hoard.js';
import type { MemoryInstruction, MemoryLogEvent, MemoryNumbers, MemoryRequest } from './instructions.js';
import type { MemoryMachineOptions } from './options.js';
import { thresholdsOf, type Thresholds } from './thresholds.js';

/** How long after a collection the memory it freed is still being swept. Measured: 64 → 53 → 1 MB within 200 ms. */
export const SETTLE_MS = 100;

export class MemoryContext {
  readonly options: MemoryMachineOptions;
  readonly accounting = new Accounting();
  readonly evictions = new Evictions(this.accounting);
  readonly hoard = new Hoard();
  readonly dropped = new DroppedBytes();
  readonly #leastUnmanaged: RollingMinimum;
  thresholds: Thresholds;

  nowMs = 0;
  stimulusId: StimulusId | undefined;
  instructions: MemoryInstruction[] = [];
  /** `undefined` until the first sample. */
  processBytes: number | undefined;
  executingCount = 0;
  /** The least unmanaged memory of this life: about what a fresh process has. */
  idleBytes = Infinity;
  #sampledManagedBytes = 0;
  #areCopiesLeaving = false;

  constructor(options: MemoryMachineOptions) {
    this.options = options;
    this.#leastUnmanaged = new RollingMinimum(options.recentToOldMs);
    this.thresholds = thresholdsOf(options, options.limitBytes);
    this.evictions.order.setHeavyAbove(this.thresholds.targetBytes);
  }

  begin(stimulusId: StimulusId, nowMs: number): void {
    this.stimulusId = stimulusId;
    this.nowMs = nowMs;
    this.instructions = [];
  }

  ask(request: MemoryRequest): void {
    this.instructions.push({ ...request, stimulusId: this.stimulusId! });
  }

  setLimit(limitBytes: number | false): void {
    this.thresholds = thresholdsOf(this.options, limitBytes);
    this.evictions.order.setHeavyAbove(this.thresholds.targetBytes);
  }

  // ---- samples ----------------------------------------------------------------------------------------------------

  onSample(processBytes: number, hoard: HoardSample, executingCount: number): void {
    const bytes = wholeBytes(processBytes);
    this.dropped.onSample(Math.max(0, (this.processBytes ?? bytes) - bytes), SETTLE_MS, this.nowMs);
    this.hoard.onSample(hoard, this.dropped.bytes);
    this.processBytes = bytes;
    this.#sampledManagedBytes = this.accounting.managedBytes;
    this.executingCount = executingCount;
    const unmanagedBytes = Math.max(0, bytes - this.accounting.managedBytes);
    this.idleBytes = Math.min(this.idleBytes, unmanagedBytes);
    this.#leastUnmanaged.add(unmanagedBytes, this.nowMs);
  }

  /** Process memory less what a reclaim would give back: what decisions are made on. */
  get liveBytes(): number {
    const processBytes = this.processBytes ?? 0;
    const unmanagedBytes = Math.max(0, processBytes - this.accounting.managedBytes);
    return processBytes - Math.min(this.hoard.reclaimableBytes, unmanagedBytes);
  }

  /** What came into RAM since the last sample, at least. */
  get grownBytes(): number {
    return Math.max(0, this.accounting.managedBytes - this.#sampledManagedBytes);
  }

  get breakdown(): MemoryBreakdown {
    return breakDown({
      processBytes: this.processBytes ?? 0,
      managedBytes: this.accounting.managedBytes,
      unmanagedOldBytes: this.#leastUnmanaged.bytes,
      hoardedBytes: this.hoard.bytes,
    });
  }

  // ---- making room ------------------------------------------------------------------------------------------------

  /** What is on its way out of RAM: values being evicted, and cached copies that were asked to be dropped. */
  get leavingBytes(): number {
    return this.evictions.leavingBytes + (this.#areCopiesLeaving ? this.accounting.cachedBytes : 0);
  }

  /** Cached copies go before anything is written to disk (D2). */
  dropCachedCopies(): void {
    if (this.#areCopiesLeaving || this.accounting.cachedBytes === 0) return;
    this.#areCopiesLeaving = true;
    this.ask({ type: 'drop-cached-copies' });
  }

  onCopiesCached(bytes: number): void {
    this.#areCopiesLeaving = false;
    this.accounting.setCached(wholeBytes(bytes));
  }

  /** Asks for values of so many bytes to be evicted; false when there is none. */
  evict(needBytes: number, preference: Preference, why: 'target' | 'spill'): boolean {
    const eviction = this.evictions.take(needBytes, preference);
    if (eviction === undefined) return false;
    this.ask({ type: 'evict', ...eviction, why });
    return true;
  }

  // ---- what is said about it --------------------------------------------------------------------------------------

  log(
    event: MemoryLogEvent,
    level: 'info' | 'warn',
    threshold: 'target' | 'spill' | 'pause' | undefined,
    detail?: string,
  ): void {
    const numbers = this.numbers(threshold);
    this.ask({ type: 'log-event', event, level, numbers, ...(detail === undefined ? {} : { detail }) });
  }

  numbers(threshold: 'target' | 'spill' | 'pause' | undefined): MemoryNumbers {
    const { limitBytes } = this.thresholds;
    const thresholdBytes = threshold === undefined ? false : this.thresholds[`${threshold}Bytes`];
    const breakdown = this.breakdown;
    return {
      ...breakdown,
      limitBytes,
      fraction: limitBytes === false ? undefined : breakdown.processBytes / limitBytes,
      threshold,
      thresholdBytes: thresholdBytes === false ? undefined : thresholdBytes,
      countedBytes: this.accounting.managedBytes,
      liveBytes: this.liveBytes,
      spilledBytes: this.accounting.diskBytes,
      spillDebtBytes: this.evictions.debtBytes,
    };
  }
}
