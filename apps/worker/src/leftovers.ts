import { reapLeftovers, systemClock, systemTimers } from '@spillway/platform';
import type { Cancellable, Logger } from '@spillway/ports';

/** Whose owners cannot be looked up (another container, another boot) are dead once they were silent for long. */
const LOOK_AGAIN_MS = 10 * 60_000;

/** Removes what dead workers left on disk, at the start and for as long as there may be more. */
export class Leftovers {
  #again: Cancellable | undefined;
  #isStopped = false;

  /** `root`: where all spill folders are; `undefined` for a worker that has none. */
  constructor(
    private readonly root: string | undefined,
    private readonly logger: Logger,
  ) {}

  watch(): void {
    void this.#reap();
  }

  stop(): void {
    this.#isStopped = true;
    this.#again?.cancel();
  }

  async #reap(): Promise<void> {
    if (this.root === undefined) return;
    const { removed, undecidedCount } = await reapLeftovers({ root: this.root, nowMs: systemClock.nowMs() });
    if (removed.length > 0)
      this.logger.info(
        { event: 'spill.leftovers-removed', removed },
        'removed what dead workers had spilled',
      );
    if (undecidedCount > 0 && !this.#isStopped)
      this.#again = systemTimers.after(LOOK_AGAIN_MS, () => void this.#reap());
  }
}
