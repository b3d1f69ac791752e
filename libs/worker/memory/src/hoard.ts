/**
 * Memory that the process holds for nobody: what V8 committed and does not use, values that were dropped and not collected,
 * what malloc keeps after `free`. Decides how much of it can be counted on to be given back, so that it neither spills nor
 * pauses anyone (D6):
 *
 *     live = process − reclaimable
 *     reclaimable = share × (hoard now − least hoard since the last reclaim)
 *
 * What was still there right after a reclaim cannot be reclaimed, so only what grew since counts; of that, the `share` that
 * the last reclaim really gave back. Before the first reclaim the share is 1: the reclaim that pressure starts at once puts it
 * to the test, within about a second.
 */
import { wholeBytes } from './breakdown.js';
import type { HoardSample } from './events.js';

export class Hoard {
  #bytes = 0;
  #leastBytes: number | undefined;
  #share = 1;
  #mallocFreeBytes = 0;
  /** What malloc counts as free but gave back already: its count does not fall by a trim. */
  #trimmedBytes = 0;
  #isTrimUnseen = false;

  /** May be more than is unmanaged: the parts are measured at different moments. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Share of the hoard that the last reclaim gave back. */
  get share(): number {
    return this.#share;
  }

  /** What has been hoarded since the last reclaim. */
  get grownBytes(): number {
    return this.#bytes - (this.#leastBytes ?? 0);
  }

  /** What can be counted on to be given back by a reclaim. */
  get reclaimableBytes(): number {
    return Math.floor(this.#share * this.grownBytes);
  }

  /** What a trim might give back. */
  get trimmableBytes(): number {
    return this.#mallocFreeBytes - this.#trimmedBytes;
  }

  /** `droppedBytes`: values dropped and not collected, as far as this machine knows. */
  onSample(sample: HoardSample, droppedBytes: number): void {
    this.#mallocFreeBytes = wholeBytes(sample.mallocFreeBytes ?? 0);
    if (this.#isTrimUnseen) this.#trimmedBytes = this.#mallocFreeBytes;
    this.#isTrimUnseen = false;
    // Pages that are used again are resident again: when they are freed they are hoarded.
    this.#trimmedBytes = Math.min(this.#trimmedBytes, this.#mallocFreeBytes);
    const garbageBytes = Math.max(wholeBytes(sample.garbageDebtBytes ?? 0), wholeBytes(droppedBytes));
    this.#bytes = wholeBytes(sample.v8UnusedBytes ?? 0) + garbageBytes + this.trimmableBytes;
    this.#leastBytes = Math.min(this.#leastBytes ?? this.#bytes, this.#bytes);
  }

  onTrimmed(): void {
    this.#isTrimUnseen = true;
  }

  /**
   * A reclaim is over and its effect was sampled: `grownBytes` was what it should have given back, `returnedBytes` is what
   * process memory fell by. What was allocated meanwhile makes the share too small, which errs on the safe side.
   */
  onReclaimed(grownBytes: number, returnedBytes: number, worthBytes: number): void {
    if (grownBytes > worthBytes) this.#share = Math.min(1, Math.max(0, returnedBytes / grownBytes));
    this.#leastBytes = this.#bytes;
  }
}

/**
 * Bytes that were dropped from RAM and whose memory has not been seen to return: V8 has to collect first, in every isolate,
 * and sweeps in the background even then. Keeps spilling from taking more than is needed meanwhile.
 */
export class DroppedBytes {
  #bytes = 0;
  #sinceCollection = 0;
  #collectedAtMs: number | undefined;

  get bytes(): number {
    return this.#bytes;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    this.#sinceCollection += bytes;
  }

  onCollectionStarted(): void {
    this.#sinceCollection = 0;
    this.#collectedAtMs = undefined;
  }

  onCollected(nowMs: number): void {
    this.#collectedAtMs = nowMs;
  }

  /** `fellBytes`: by how much process memory fell since the sample before, or nothing. */
  onSample(fellBytes: number, settleMs: number, nowMs: number): void {
    this.#bytes = Math.max(0, this.#bytes - fellBytes);
    if (this.#collectedAtMs === undefined || nowMs < this.#collectedAtMs + settleMs) return;
    // Whatever was dropped before that collection has returned, or is held by someone and does not return.
    this.#collectedAtMs = undefined;
    this.#bytes = Math.min(this.#bytes, this.#sinceCollection);
  }
}
