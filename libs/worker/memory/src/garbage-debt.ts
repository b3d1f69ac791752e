/**
 * Decides when the isolates of a worker are asked to collect. Shared buffers that were dropped stay in process memory until
 * every isolate that saw them has collected, and V8 does not see to that by itself: for memory they are held as much as
 * any value (architecture.md D6). The first rung of reclaiming.
 */

const MEBIBYTE = 1024 * 1024;
/** Part of the limit that may be garbage. Less collects more often, which costs each isolate a few milliseconds. */
const BUDGET_FRACTION = 1 / 16;
const BUDGET_BYTES_MIN = 16 * MEBIBYTE;
const BUDGET_BYTES_MAX = 128 * MEBIBYTE;

/**
 * How much garbage a worker with this limit may carry. A small worker may carry more than its share, so that it does not
 * collect all the time; a large one less, as there is nothing to gain from more.
 */
export function garbageBudgetBytes(limitBytes: number | false, fraction: number = BUDGET_FRACTION): number {
  if (limitBytes === false) return BUDGET_BYTES_MAX;
  return Math.min(BUDGET_BYTES_MAX, Math.max(BUDGET_BYTES_MIN, limitBytes * fraction));
}

export class GarbageDebt {
  #bytes = 0;

  constructor(private readonly budgetBytes: number) {}

  /** Bytes dropped since the isolates were last asked to collect. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Notes dropped bytes. True: the debt is over its budget, ask all isolates now; it begins anew. */
  drop(bytes: number): boolean {
    this.#bytes += bytes;
    if (this.#bytes <= this.budgetBytes) return false;
    this.#bytes = 0;
    return true;
  }
}
