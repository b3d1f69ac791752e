/** Reads a limit again and again, since containers are resized while they run. */
import type { Cancellable, Timers } from '@spillway/ports';
import type { Machine } from './machine.js';
import type { ResolvedMemoryLimit } from './memory-limit.js';

/** What a worker's limit came to when it was read, and of which machine. */
export interface MemoryLimitReading extends ResolvedMemoryLimit {
  readonly machine: Machine;
}

export interface LimitWatchOptions {
  readonly timers: Timers;
  /** `false` keeps the first. */
  readonly intervalMs: number | false;
  /** What was read at the start. */
  readonly first: MemoryLimitReading;
  readonly read: () => MemoryLimitReading;
  /** The limit of a worker is another one now. */
  readonly onChanged: (now: MemoryLimitReading, before: MemoryLimitReading) => void;
}

export class LimitWatch implements Cancellable {
  readonly #options: LimitWatchOptions;
  readonly #timer: Cancellable | undefined;
  #current: MemoryLimitReading;

  constructor(options: LimitWatchOptions) {
    this.#options = options;
    this.#current = options.first;
    const { timers, intervalMs, read } = options;
    // What is written `none` stays without a limit.
    if (intervalMs === false || this.#current.limitBytes === false) return;
    this.#timer = timers.every(intervalMs, () => this.#take(read()));
  }

  get current(): MemoryLimitReading {
    return this.#current;
  }

  cancel(): void {
    this.#timer?.cancel();
  }

  #take(now: MemoryLimitReading): void {
    const before = this.#current;
    this.#current = now;
    if (now.limitBytes !== before.limitBytes) this.#options.onChanged(now, before);
  }
}
