/**
 * Has one thread collect its garbage: by asking it, and, when it is busy with a task and does not answer, from outside.
 * Collecting from outside takes at most one part in `TIME_PARTS` of the thread's time, as collecting inside does.
 */
import type { Clock } from '@spillway/ports';
import type { OutsideCollector } from './outside-collector.js';
import type { ThreadReadings } from './thread-readings.js';
import type { ThreadRequests } from './thread-requests.js';

/** An idle thread, and one between short tasks, has answered by then. */
const OUTSIDE_AFTER_MS = 200;
const TIME_PARTS = 4;

export interface ThreadGarbageParts {
  readonly requests: ThreadRequests;
  readonly readings: ThreadReadings;
  readonly outside: OutsideCollector;
  /** -1 once the thread has ended. */
  readonly threadId: () => number;
  readonly send: (request: number) => void;
  readonly clock: Clock;
  /** Calls back later, unless the thread has ended by then. */
  readonly after: (delayMs: number, call: () => void) => void;
}

export class ThreadGarbage {
  readonly #parts: ThreadGarbageParts;
  readonly #unanswered = new Set<number>();
  #isWatching = false;
  /** Asked since the last look at what is unanswered. */
  #isAsked = false;
  #restUntilMs = -Infinity;

  constructor(parts: ThreadGarbageParts) {
    this.#parts = parts;
  }

  /** Resolves when the thread has collected, or has ended. */
  async collect(): Promise<void> {
    const { id, done } = this.#parts.requests.open();
    this.#unanswered.add(id);
    this.#parts.send(id);
    this.#isAsked = true;
    this.#watch();
    await done;
    this.#unanswered.delete(id);
  }

  #watch(): void {
    if (this.#isWatching || !this.#isAsked || this.#unanswered.size === 0) return;
    this.#isWatching = true;
    const { clock, after } = this.#parts;
    after(Math.max(OUTSIDE_AFTER_MS, this.#restUntilMs - clock.nowMs()), () => {
      void this.#collectFromOutside().then(() => {
        this.#isWatching = false;
        this.#watch();
      });
    });
  }

  /** Cannot reject, as the collector never does. */
  async #collectFromOutside(): Promise<void> {
    const { requests, outside, threadId, clock, readings } = this.#parts;
    const ids = [...this.#unanswered];
    this.#isAsked = false;
    if (ids.length === 0) return;
    const heap = await outside.collect(threadId);
    if (heap === undefined) return;
    this.#restUntilMs = clock.nowMs() + heap.tookMs * (TIME_PARTS - 1);
    readings.heapUnusedBytes = heap.unusedBytes;
    for (const id of ids) requests.settle(id);
  }
}
