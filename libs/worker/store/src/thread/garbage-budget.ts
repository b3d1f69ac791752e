/**
 * V8 never collects shared buffers by itself: each isolate that has seen one must be told to (architecture.md D6). The
 * spill thread sees every value that is written or read; its own heap is small, which makes collecting cheap.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const BUDGET_BYTES = 64 * 1024 * 1024;

export class GarbageBudget {
  readonly #collect = makeCollector();
  #bytes = 0;
  #waiting: (() => void)[] | undefined;

  /** So many bytes in shared memory were let go of here. */
  add(byteCount: number): void {
    this.#bytes += byteCount;
    if (this.#bytes > BUDGET_BYTES) this.collectSoon();
  }

  /** Collects at the end of the turn: references on the stack are gone by then. */
  collectSoon(done: () => void = () => undefined): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(done);
      return;
    }
    this.#waiting = [done];
    setImmediate(() => {
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      this.#bytes = 0;
      this.#collect();
      for (const call of waiting) call();
    });
  }
}

/** Collects the garbage of this isolate, whatever flags Node was started with. */
function makeCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
