/**
 * Decides which task to end when process memory runs away: before V8's own cap aborts the whole process (which would
 * take every value with it), and before the nanny ends the worker. Covers growth while tasks run. What the worker
 * stores is the business of spilling and pausing, not of this.
 *
 * A thread in a synchronous loop cannot say how much it holds, so growth is attributed from outside: what process
 * memory gained between two samples is charged to the slots that were busy, in equal shares.
 */
import { lookIntervalMs } from '@spillway/kernel';

/** What a slot was running when the sample was taken, and since when; `undefined` when idle. */
export type BusyWith = { readonly runId: number; readonly sinceMs: number } | undefined;

/**
 * `reclaim`: part of what looks like growth may be garbage, which is to be collected before anybody is blamed. `end-task`:
 * process memory is still above the line at the sample after that.
 */
export type GrowthVerdict =
  { readonly type: 'reclaim' } | { readonly type: 'end-task'; readonly slot: number };

export interface GrowthWatchOptions {
  /** At first; see `limitChanged`. */
  readonly limitBytes: number | false;
  /** Process memory above this share of the limit is a run-away if one task accounts for enough of it. */
  readonly runawayFraction: number | false;
  /** A task is only ended if it was charged at least this share of the limit. */
  readonly guiltyFraction: number;
  /** Where the nanny ends the process, as a share of the limit; `false`: nowhere. */
  readonly terminateFraction: number | false;
  /** How fast the process may grow: decides how often to look. */
  readonly growthBytesPerMs: number;
}

/** How long a reclaim takes to show. */
const RECLAIM_MS = 200;
/** Looks are no closer together, for the sake of the control loop. */
const LOOK_MS_MIN = 10;

interface SlotGrowth {
  runId: number | undefined;
  grownBytes: number;
  /** The most that came to. */
  peakBytes: number;
}

interface Sample {
  readonly processBytes: number;
  readonly atMs: number;
}

export class GrowthWatch {
  readonly #slots: SlotGrowth[] = [];
  #last: Sample | undefined;
  #reclaimedAtMs: number | undefined;
  #fastestBytesPerMs: number;
  #limitBytes: number | false;

  constructor(private readonly options: GrowthWatchOptions) {
    this.#limitBytes = options.limitBytes;
    this.#fastestBytesPerMs = options.growthBytesPerMs;
  }

  /** The limit that samples are held against. */
  get limitBytes(): number | false {
    return this.#limitBytes;
  }

  limitChanged(limitBytes: number): void {
    this.#limitBytes = limitBytes;
  }

  /** The most a run was charged so far; `undefined` for one that no sample has seen. */
  peakBytesOf(runId: number): number | undefined {
    return this.#slots.find((slot) => slot.runId === runId)?.peakBytes;
  }

  /** How soon to look again, at most `maxMs`: while tasks run, the sooner the closer process memory is to the line. */
  nextLookMs(maxMs: number): number {
    const { runawayFraction } = this.options;
    const isWatching = this.#slots.some(({ runId }) => runId !== undefined);
    if (this.#limitBytes === false || runawayFraction === false || !isWatching) return maxMs;
    const headroomBytes = this.#limitBytes * runawayFraction - (this.#last?.processBytes ?? 0);
    return lookIntervalMs(headroomBytes, this.#fastestBytesPerMs, { minMs: LOOK_MS_MIN, maxMs });
  }

  /**
   * Takes a sample of process memory and of what each slot runs; says what to do, if anything. A slot is named once: its
   * growth starts at zero again.
   */
  sample(processBytes: number, busyWith: readonly BusyWith[], atMs: number): GrowthVerdict | undefined {
    this.#charge({ processBytes, atMs }, busyWith);
    this.#last = { processBytes, atMs };
    const { runawayFraction, guiltyFraction } = this.options;
    const limitBytes = this.#limitBytes;
    if (limitBytes === false || runawayFraction === false) return undefined;
    const guilty = processBytes > limitBytes * runawayFraction ? this.#mostGrown() : undefined;
    if (guilty === undefined || this.#slots[guilty]!.grownBytes < limitBytes * guiltyFraction) {
      this.#reclaimedAtMs = undefined;
      return undefined;
    }
    if (this.#reclaimedAtMs === undefined) {
      this.#reclaimedAtMs = atMs;
      return { type: 'reclaim' };
    }
    if (atMs - this.#reclaimedAtMs < RECLAIM_MS && !this.#isNearTheEnd(processBytes)) return undefined;
    this.#slots[guilty]!.grownBytes = 0;
    return { type: 'end-task', slot: guilty };
  }

  /** Closer to where the nanny ends the process than to the line: there is no time to see what a reclaim gives. */
  #isNearTheEnd(processBytes: number): boolean {
    const { runawayFraction, terminateFraction } = this.options;
    if (this.#limitBytes === false || runawayFraction === false || terminateFraction === false) return false;
    return processBytes > (this.#limitBytes * (runawayFraction + terminateFraction)) / 2;
  }

  #charge({ processBytes, atMs }: Sample, busyWith: readonly BusyWith[]): void {
    const busyCount = busyWith.filter((run) => run !== undefined).length;
    const { processBytes: lastBytes, atMs: lastMs } = this.#last ?? { processBytes, atMs };
    const gainBytes = processBytes - lastBytes;
    if (atMs > lastMs)
      this.#fastestBytesPerMs = Math.max(this.#fastestBytesPerMs, gainBytes / (atMs - lastMs));
    busyWith.forEach((run, slot) => {
      const growth = (this.#slots[slot] ??= { runId: undefined, grownBytes: 0, peakBytes: 0 });
      if (growth.runId !== run?.runId) {
        growth.runId = run?.runId;
        growth.grownBytes = 0;
        growth.peakBytes = 0;
      }
      if (run === undefined) return;
      // For the part of the time in which it ran: what short tasks before it did is not its doing.
      const share = atMs > lastMs ? (atMs - Math.max(lastMs, run.sinceMs)) / (atMs - lastMs) : 1;
      const chargedBytes = (gainBytes / busyCount) * Math.min(1, Math.max(0, share));
      // A task that shrinks the process is credited, but never below nothing.
      growth.grownBytes = Math.max(0, growth.grownBytes + chargedBytes);
      growth.peakBytes = Math.max(growth.peakBytes, growth.grownBytes);
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
