/**
 * Keeps what the thread says of its heap up to date: at the end of tasks, but not more often than every
 * `REPORT_EVERY_MS`, and once more soon after the last one.
 */
import { getHeapStatistics } from 'node:v8';
import type { Cancellable, Timers } from '@spillway/ports';
import type { ThreadReadings } from '../thread-readings.js';

/** A reading costs some microseconds, and is asked for by a monitor that looks every 200 ms. */
const REPORT_EVERY_MS = 50;

export class HeapReport {
  readonly #readings: ThreadReadings;
  readonly #timers: Timers;
  #reportedAtMs = -Infinity;
  #isOutdated = false;
  #later: Cancellable | undefined;

  constructor(readings: ThreadReadings, timers: Timers) {
    this.#readings = readings;
    this.#timers = timers;
  }

  runEnded(nowMs: number): void {
    if (nowMs - this.#reportedAtMs < REPORT_EVERY_MS) {
      this.#isOutdated = true;
      return;
    }
    this.#reportedAtMs = nowMs;
    this.report();
  }

  /** Nothing follows for now that would bring the next report. */
  idle(): void {
    if (!this.#isOutdated || this.#later !== undefined) return;
    this.#later = this.#timers.after(REPORT_EVERY_MS, () => {
      this.#later = undefined;
      if (this.#isOutdated) this.report();
    });
  }

  report(): void {
    this.#isOutdated = false;
    // Physical: what the process memory has of it. In threads it has been the same as `total_heap_size` (measured).
    const { total_physical_size, used_heap_size } = getHeapStatistics();
    this.#readings.heapUnusedBytes = Math.max(0, total_physical_size - used_heap_size);
  }
}
