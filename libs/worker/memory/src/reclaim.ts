/**
 * The ladder that is climbed before anything is spilled by process memory (D6): collect in every isolate, trim, and look
 * again once that has settled. Every rung has an end, answered or not, and the ladder rests between two climbs, longer each
 * time it brought nothing. Also collects and trims when there is no pressure but it is worth it. Decides nothing about values.
 */
import { SETTLE_MS, type MemoryContext } from './context.js';
import { GarbageDebt } from './garbage-debt.js';

/** An isolate deep in a native call does not answer. */
const ANSWER_MS_MAX = 1000;
const REST_MS_MIN = 1000;
const REST_MS_MAX = 30_000;
/** Collecting and trimming may take one part in so many of the time. */
const TIME_PARTS = 10;
/** A climb that brought less than this share of the limit brought nothing. */
const WORTH_FRACTION = 0.01;
/** When so much more is hoarded than after the last climb, another is due whatever that one brought. */
const GROWN_FRACTION = 0.05;
/**
 * A thread in the middle of a task still has its inputs when it is asked to collect: when nothing more is dropped, a last
 * look gets what was missed.
 */
const LAST_LOOK_AFTER_MS = 1000;

type Rung =
  | { readonly name: 'ground' }
  | { readonly name: 'collecting' }
  | { readonly name: 'trimming' }
  | { readonly name: 'settling'; readonly untilMs: number; readonly isSampleAsked: boolean };

export class Reclaim {
  readonly #context: MemoryContext;
  #rung: Rung = { name: 'ground' };
  #before = { processBytes: 0, grownBytes: 0 };
  /** Since when a collection or trim is under way, for the ladder or not. */
  #collectingSinceMs: number | undefined;
  #trimmingSinceMs: number | undefined;
  #isTrimSupported = true;
  #climbMs = 0;
  /** Climbs in a row that brought nothing. */
  #fruitlessCount = 0;
  #throttledUntilMs = -Infinity;
  #trimThrottledUntilMs = -Infinity;
  #lastLookAtMs: number | undefined;
  #debt: GarbageDebt | undefined;
  #endedAtMs: number | undefined;

  constructor(context: MemoryContext) {
    this.#context = context;
    this.onLimitChanged();
  }

  /** Whether a climb is under way: its effect has not been sampled. */
  get isClimbing(): boolean {
    return this.#rung.name !== 'ground';
  }

  /** When the last climb ended. */
  get endedAtMs(): number | undefined {
    return this.#endedAtMs;
  }

  get nextWakeMs(): number | undefined {
    const answerMs = Math.min(
      (this.#collectingSinceMs ?? Infinity) + ANSWER_MS_MAX,
      (this.#trimmingSinceMs ?? Infinity) + ANSWER_MS_MAX,
    );
    const settledMs =
      this.#rung.name === 'settling' && !this.#rung.isSampleAsked ? this.#rung.untilMs : Infinity;
    const next = Math.min(answerMs, settledMs, this.#lastLookAtMs ?? Infinity);
    return next === Infinity ? undefined : next;
  }

  /** `isUnseen`: memory was dropped that has not been seen to return, so no rest is needed between climbs. */
  mayClimb(isUnseen: boolean): boolean {
    if (this.isClimbing) return false;
    const { nowMs, hoard, thresholds } = this.#context;
    if (isUnseen) return nowMs >= this.#throttledUntilMs;
    const hasGrown = hoard.grownBytes > (thresholds.limitBytes || 0) * GROWN_FRACTION;
    const restMs = hasGrown ? REST_MS_MIN : this.#restMs;
    return nowMs >= Math.max(this.#throttledUntilMs, (this.#endedAtMs ?? -Infinity) + restMs);
  }

  climb(): void {
    const context = this.#context;
    this.#before = { processBytes: context.processBytes ?? 0, grownBytes: context.hoard.grownBytes };
    this.#climbMs = 0;
    this.#rung = { name: 'collecting' };
    this.#collect('pressure');
  }

  /** The pressure is gone: the next one finds the ladder fresh. */
  relax(): void {
    this.#fruitlessCount = 0;
  }

  onLimitChanged(): void {
    const { garbageBytesMax } = this.#context.thresholds;
    this.#debt = garbageBytesMax === false ? undefined : new GarbageDebt(garbageBytesMax);
  }

  /** Values of so many bytes have left RAM: the garbage is collected once it is over its budget. */
  onDropped(bytes: number): void {
    if (bytes === 0) return;
    this.#context.dropped.add(bytes);
    if (this.#debt?.drop(bytes) !== true) return;
    this.#lastLookAtMs = this.#context.nowMs + LAST_LOOK_AFTER_MS;
    this.#collect('garbage-debt');
  }

  onCollected(durationMs: number): void {
    if (this.#collectingSinceMs === undefined) return;
    this.#collectingSinceMs = undefined;
    this.#climbMs += durationMs;
    this.#context.dropped.onCollected(this.#context.nowMs);
    if (this.#rung.name === 'collecting') this.#trimOrSettle();
  }

  onTrimmed(durationMs: number, isSupported: boolean): void {
    this.#isTrimSupported = isSupported;
    if (this.#trimmingSinceMs === undefined) return;
    this.#trimmingSinceMs = undefined;
    this.#climbMs += durationMs;
    this.#trimThrottledUntilMs = this.#context.nowMs + Math.max(REST_MS_MIN, durationMs * (TIME_PARTS - 1));
    if (isSupported) this.#context.hoard.onTrimmed();
    if (this.#rung.name === 'trimming') this.#settle();
  }

  /** A fresh sample is known: ends a climb that has settled, and trims when malloc keeps enough for it to be worth it. */
  onSample(): void {
    const { nowMs } = this.#context;
    if (this.#rung.name === 'settling' && nowMs >= this.#rung.untilMs) this.#end();
    const { trimBytes } = this.#context.options;
    const isOn = trimBytes !== false && this.#context.thresholds.reclaimBytes !== false;
    if (!isOn || this.isClimbing || nowMs < this.#trimThrottledUntilMs) return;
    if (this.#context.hoard.trimmableBytes > trimBytes) this.#trim();
  }

  onTime(): void {
    const { nowMs } = this.#context;
    if (nowMs >= (this.#collectingSinceMs ?? Infinity) + ANSWER_MS_MAX) this.onCollected(ANSWER_MS_MAX);
    if (nowMs >= (this.#trimmingSinceMs ?? Infinity) + ANSWER_MS_MAX)
      this.onTrimmed(ANSWER_MS_MAX, this.#isTrimSupported);
    if (this.#rung.name === 'settling' && nowMs >= this.#rung.untilMs && !this.#rung.isSampleAsked) {
      this.#rung = { ...this.#rung, isSampleAsked: true };
      this.#context.ask({ type: 'sample-memory' });
    }
    if (nowMs < (this.#lastLookAtMs ?? Infinity)) return;
    this.#lastLookAtMs = undefined;
    this.#collect('garbage-debt');
  }

  get #restMs(): number {
    return Math.min(REST_MS_MAX, REST_MS_MIN * 2 ** Math.max(0, this.#fruitlessCount - 1));
  }

  #collect(why: 'garbage-debt' | 'pressure'): void {
    // One is under way already: what it misses is got by the last look, or by the next climb.
    if (this.#collectingSinceMs !== undefined) return;
    this.#collectingSinceMs = this.#context.nowMs;
    this.#context.dropped.onCollectionStarted();
    this.#context.ask({ type: 'collect-garbage', why });
  }

  #trimOrSettle(): void {
    if (!this.#isTrimSupported) {
      this.#settle();
      return;
    }
    this.#rung = { name: 'trimming' };
    this.#trim();
  }

  #trim(): void {
    if (!this.#isTrimSupported || this.#trimmingSinceMs !== undefined) return;
    this.#trimmingSinceMs = this.#context.nowMs;
    this.#context.ask({ type: 'trim-memory' });
  }

  #settle(): void {
    this.#rung = { name: 'settling', untilMs: this.#context.nowMs + SETTLE_MS, isSampleAsked: false };
  }

  #end(): void {
    const { hoard, nowMs, processBytes, thresholds } = this.#context;
    const returnedBytes = Math.max(0, this.#before.processBytes - (processBytes ?? 0));
    const worthBytes = (thresholds.limitBytes || 0) * WORTH_FRACTION;
    hoard.onReclaimed(this.#before.grownBytes, returnedBytes, worthBytes);
    this.#rung = { name: 'ground' };
    this.#endedAtMs = nowMs;
    this.#throttledUntilMs = nowMs + this.#climbMs * (TIME_PARTS - 1);
    const hasHelped = returnedBytes > worthBytes;
    this.#fruitlessCount = hasHelped ? 0 : this.#fruitlessCount + 1;
    if (hasHelped) this.#context.log('memory.reclaimed', 'info', undefined, `${returnedBytes} bytes`);
  }
}
