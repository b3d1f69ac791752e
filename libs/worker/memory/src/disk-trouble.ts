/**
 * Remembers that the disk takes nothing: full, read-only, or `max-spill` reached. Asking for every value in turn would only
 * collect refusals, so nothing is written for a while; then one value is tried, and if it is refused the wait doubles.
 */
import type { SpillFailureReason } from '@spillway/messages';

const WAIT_MS_MIN = 1000;
const WAIT_MS_MAX = 30_000;

type State =
  | { readonly name: 'fine' }
  | {
      readonly name: 'refused';
      readonly reason: SpillFailureReason;
      readonly untilMs: number;
      readonly waitMs: number;
    }
  /** The wait is over: one value at a time is tried. */
  | { readonly name: 'probing'; readonly reason: SpillFailureReason; readonly waitMs: number };

export class DiskTrouble {
  #state: State = { name: 'fine' };

  get reason(): SpillFailureReason | undefined {
    return this.#state.name === 'fine' ? undefined : this.#state.reason;
  }

  /** When the wait ends. */
  get nextWakeMs(): number | undefined {
    return this.#state.name === 'refused' ? this.#state.untilMs : undefined;
  }

  /** `writingCount`: values on their way to disk now. */
  mayWrite(writingCount: number): boolean {
    return this.#state.name === 'fine' || (this.#state.name === 'probing' && writingCount === 0);
  }

  onRefused(reason: SpillFailureReason, nowMs: number): void {
    // What was under way when the first refusal came is refused too, and says nothing new.
    if (this.#state.name === 'refused') return;
    const waitMs = this.#state.name === 'fine' ? WAIT_MS_MIN : Math.min(WAIT_MS_MAX, this.#state.waitMs * 2);
    this.#state = { name: 'refused', reason, untilMs: nowMs + waitMs, waitMs };
  }

  onWritten(): void {
    // A write that was under way before the refusal does not prove anything.
    if (this.#state.name === 'probing') this.#state = { name: 'fine' };
  }

  /** Something was removed from disk: a cap may have room again. */
  onRemoved(): void {
    if (this.#state.name === 'refused' && this.#state.reason === 'limit-reached') this.#probe(this.#state);
  }

  onTime(nowMs: number): void {
    if (this.#state.name === 'refused' && nowMs >= this.#state.untilMs) this.#probe(this.#state);
  }

  #probe({ reason, waitMs }: { reason: SpillFailureReason; waitMs: number }): void {
    this.#state = { name: 'probing', reason, waitMs };
  }
}
