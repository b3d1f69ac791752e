/** Collects what became of each key of one `evict`. */
import type { TaskKey } from '@spillway/kernel';
import type { EvictOutcome, NotEvictedReason } from '@spillway/ports';

export class EvictTally {
  /** Resolves once each key has its answer. */
  readonly outcome: Promise<EvictOutcome>;
  readonly #evicted: { key: TaskKey; diskBytes: number }[] = [];
  readonly #kept: { key: TaskKey; diskBytes: number }[] = [];
  readonly #failed: { key: TaskKey; reason: NotEvictedReason }[] = [];
  #resolve: (outcome: EvictOutcome) => void = () => undefined;

  constructor(private readonly keyCount: number) {
    this.outcome = new Promise((resolve) => (this.#resolve = resolve));
    this.#check();
  }

  evicted(key: TaskKey, diskBytes: number): void {
    this.#evicted.push({ key, diskBytes });
    this.#check();
  }

  kept(key: TaskKey, diskBytes: number): void {
    this.#kept.push({ key, diskBytes });
    this.#check();
  }

  failed(key: TaskKey, reason: NotEvictedReason): void {
    this.#failed.push({ key, reason });
    this.#check();
  }

  #check(): void {
    if (this.#evicted.length + this.#kept.length + this.#failed.length === this.keyCount)
      this.#resolve({ evicted: this.#evicted, kept: this.#kept, failed: this.#failed });
  }
}
