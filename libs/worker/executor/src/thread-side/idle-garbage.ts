/**
 * Has a thread that has nothing to do collect what its tasks dropped. V8 collects when something is allocated, and lets an
 * idle isolate keep its garbage for some eight seconds (measured: 1 GiB of buffers). What tasks drop is known to no one else:
 * memory pressure has everything collected too, but there may be none.
 */
import type { Cancellable, Timers } from '@spillway/ports';

/** Tasks that follow one another closely are not held up. */
const IDLE_AFTER_MS = 500;
/** A collection of a small heap takes some milliseconds; less garbage than this is not worth one. */
const WORTH_BYTES = 32 * 1024 * 1024;

export interface IdleGarbageOptions {
  readonly timers: Timers;
  /** What objects and buffers take in this isolate, garbage included. */
  readonly occupiedBytes: () => number;
  /** Calls for a collection; `collected` is to be called once it has run. */
  readonly collect: () => void;
}

export class IdleGarbage {
  readonly #options: IdleGarbageOptions;
  #timer: Cancellable | undefined;
  /** Since the timer was set. */
  #hasRun = false;
  /** What a collection leaves; nothing of that is tried again. */
  #keptBytes: number;

  constructor(options: IdleGarbageOptions) {
    this.#options = options;
    this.#keptBytes = options.occupiedBytes();
  }

  runEnded(): void {
    this.#hasRun = true;
  }

  /** Nothing follows for now. One timer at a time, as this happens after almost every task. */
  idle(): void {
    if (this.#timer === undefined) this.#wait();
  }

  /** This isolate was collected, whoever asked for it. */
  collected(): void {
    this.#keptBytes = this.#options.occupiedBytes();
  }

  #wait(): void {
    this.#hasRun = false;
    this.#timer = this.#options.timers.after(IDLE_AFTER_MS, () => this.#look());
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#hasRun) {
      this.#wait();
      return;
    }
    const occupiedBytes = this.#options.occupiedBytes();
    // V8 may have collected by itself.
    this.#keptBytes = Math.min(this.#keptBytes, occupiedBytes);
    if (occupiedBytes - this.#keptBytes >= WORTH_BYTES) this.#options.collect();
  }
}
