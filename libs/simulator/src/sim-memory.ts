import type { SeededRandom } from '@spillway/kernel';
import type { Malloc, OwnMemory, OwnMemoryReader, Timers } from '@spillway/ports';

/** Of an idle process. */
const BASE_BYTES = 1_500;
const TASK_BYTES = 150;

/**
 * Process memory of one simulated worker: what it holds, what its tasks use and leak, and garbage, which stays until
 * somebody collects, and of which malloc then keeps a part until it is trimmed.
 */
export class SimMemory implements OwnMemoryReader, Malloc {
  readonly kind = 'glibc';
  /** What tasks have leaked. */
  leakedBytes = 0;
  #lastManagedBytes = 0;
  #garbageBytes = 0;
  #freeBytes = 0;
  #peakBytes = 0;

  constructor(
    private readonly managedBytes: () => number,
    private readonly busyCount: () => number,
    private readonly timers: Timers,
    private readonly random: SeededRandom,
  ) {}

  read(): OwnMemory {
    this.#followStore();
    const usedBytes = BASE_BYTES + this.#lastManagedBytes + this.busyCount() * TASK_BYTES + this.leakedBytes;
    const processBytes = usedBytes + this.#garbageBytes + this.#freeBytes;
    this.#peakBytes = Math.max(this.#peakBytes, processBytes);
    return { processBytes, processPeakBytes: this.#peakBytes, heapUnusedBytes: 0 };
  }

  freeBytes(): number {
    return this.#freeBytes;
  }

  collect(): Promise<void> {
    return this.#later(() => {
      this.#followStore();
      const keptBytes = Math.floor(this.#garbageBytes * this.random.next());
      this.#freeBytes += keptBytes;
      this.#garbageBytes = 0;
    });
  }

  async trim(): Promise<boolean> {
    await this.#later(() => (this.#freeBytes = 0));
    return true;
  }

  /** What left the store since the last look is garbage; what came in uses free memory first. */
  #followStore(): void {
    const managedBytes = this.managedBytes();
    const grownBytes = managedBytes - this.#lastManagedBytes;
    this.#lastManagedBytes = managedBytes;
    if (grownBytes < 0) this.#garbageBytes -= grownBytes;
    else this.#freeBytes = Math.max(0, this.#freeBytes - grownBytes);
  }

  #later(act: () => void): Promise<void> {
    return new Promise((resolve) =>
      this.timers.after(this.random.next() * 20, () => {
        act();
        resolve();
      }),
    );
  }
}
