import type { Cancellable, Timers } from '@spillway/ports';
import type { GarbageDebt } from '@spillway/worker-memory';

export interface GarbageCollectionOptions {
  readonly debt: GarbageDebt;
  readonly timers: Timers;
  /** Asks every isolate that may have seen a value: this one, the task threads, the transfer thread. */
  readonly askIsolates: () => void;
}

/**
 * A thread that is in the middle of a task still has its inputs when it is asked, and sweeping goes on in the background:
 * when nothing more is dropped, a last look gets what was missed.
 */
const LAST_LOOK_AFTER_MS = 1000;

/** Has the isolates collect when so much was dropped from the store that it matters. */
export class GarbageCollection {
  readonly #options: GarbageCollectionOptions;
  #lastLook: Cancellable | undefined;

  constructor(options: GarbageCollectionOptions) {
    this.#options = options;
  }

  /** The store let go of shared buffers of so many bytes. */
  dropped(bytes: number): void {
    const { debt, timers, askIsolates } = this.#options;
    if (!debt.drop(bytes)) return;
    askIsolates();
    this.#lastLook?.cancel();
    this.#lastLook = timers.after(LAST_LOOK_AFTER_MS, askIsolates);
  }

  stop(): void {
    this.#lastLook?.cancel();
  }
}
