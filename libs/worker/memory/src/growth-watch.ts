/**
 * Decides which task to end when process memory runs away: before V8's own cap aborts the whole process (which would
 * take every value with it), and before the nanny ends the worker. Covers growth while tasks run. What the worker
 * stores is the business of spilling and pausing, not of this.
 *
 * A thread in a synchronous loop cannot say how much it holds, so growth is attributed from outside: what process
 * memory gained between two samples is charged to the slots that were busy, in equal shares.
 */

/** What a slot was running when the sample was taken; `undefined` when idle. */
export type BusyWith = number | undefined;

export interface GrowthWatchOptions {
  readonly limitBytes: number | false;
  /** Process memory above this share of the limit is a run-away if one task accounts for enough of it. */
  readonly runawayFraction: number | false;
  /** A task is only ended if it was charged at least this share of the limit. */
  readonly guiltyFraction: number;
}

interface SlotGrowth {
  runId: BusyWith;
  grownBytes: number;
}

export class GrowthWatch {
  readonly #slots: SlotGrowth[] = [];
  #lastProcessBytes: number | undefined;

  constructor(private readonly options: GrowthWatchOptions) {}

  /**
   * Takes a sample of process memory and of what each slot runs (by run id); returns the slot to end, if any. A slot
   * is named once: its growth starts at zero again.
   */
  sample(processBytes: number, busyWith: readonly BusyWith[]): number | undefined {
    this.#charge(processBytes, busyWith);
    this.#lastProcessBytes = processBytes;
    const { limitBytes, runawayFraction, guiltyFraction } = this.options;
    if (limitBytes === false || runawayFraction === false) return undefined;
    if (processBytes <= limitBytes * runawayFraction) return undefined;
    const guilty = this.#mostGrown();
    if (guilty === undefined || this.#slots[guilty]!.grownBytes < limitBytes * guiltyFraction)
      return undefined;
    this.#slots[guilty]!.grownBytes = 0;
    return guilty;
  }

  #charge(processBytes: number, busyWith: readonly BusyWith[]): void {
    const busyCount = busyWith.filter((runId) => runId !== undefined).length;
    const gainBytes = processBytes - (this.#lastProcessBytes ?? processBytes);
    busyWith.forEach((runId, slot) => {
      const growth = (this.#slots[slot] ??= { runId: undefined, grownBytes: 0 });
      if (growth.runId !== runId) {
        growth.runId = runId;
        growth.grownBytes = 0;
      }
      // A task that shrinks the process is credited, but never below nothing.
      if (runId !== undefined) growth.grownBytes = Math.max(0, growth.grownBytes + gainBytes / busyCount);
    });
  }

  #mostGrown(): number | undefined {
    let most: number | undefined;
    this.#slots.forEach((growth, slot) => {
      if (growth.runId === undefined || growth.grownBytes <= 0) return;
      if (most === undefined || growth.grownBytes > this.#slots[most]!.grownBytes) most = slot;
    });
    return most;
  }
}
