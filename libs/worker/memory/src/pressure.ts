/**
 * How much has to leave RAM. Two measures (style.md 5.5): managed memory against target, after whatever may have changed it;
 * and process memory against spill, at every sample. Which values go is decided in evictions.ts, pausing in pause.ts.
 */
import type { MemoryContext } from './context.js';
import type { Reclaim } from './reclaim.js';

const WARN_EVERY_MS = 300_000;
/** Under load managed memory crosses its target all the time. */
const TARGET_LOG_EVERY_MS = 10_000;
/** So long after values were spilled the worker counts as under pressure: the next one is likely to be spilled too. */
const PRESSURE_AFTER_MS = 2000;

export class Pressure {
  readonly #context: MemoryContext;
  readonly #reclaim: Reclaim;
  /** Spilling by process memory: from above spill down to the goal. */
  #isSpilling = false;
  #isStartLogged = false;
  #warnedAtMs = -Infinity;
  #targetLoggedAtMs = -Infinity;
  #spilledAtMs = -Infinity;

  constructor(context: MemoryContext, reclaim: Reclaim) {
    this.#context = context;
    this.#reclaim = reclaim;
  }

  get isSpilling(): boolean {
    return this.#isSpilling;
  }

  get isSpillingOrDidSo(): boolean {
    return this.#isSpilling || this.#context.nowMs < this.#spilledAtMs + PRESSURE_AFTER_MS;
  }

  /** Whether anything could be spilled to lower process memory, or is on its way. */
  get hasSpillable(): boolean {
    const { evictions, thresholds } = this.#context;
    if (thresholds.spillBytes === false) return false;
    return evictions.hasCandidate || evictions.leavingCount > 0;
  }

  /** Managed memory above target: the least recently used go until it is at or below, counting what is leaving as gone. */
  relieveTarget(): void {
    const context = this.#context;
    const { targetBytes } = context.thresholds;
    const { accounting, evictions } = context;
    if (targetBytes === false || accounting.managedBytes - context.leavingBytes <= targetBytes) return;
    context.dropCachedCopies();
    // The copies are as good as gone: they only have to be let go of.
    const needBytes = accounting.ramBytes - evictions.leavingBytes - targetBytes;
    if (needBytes <= 0 || !context.evict(needBytes, 'least-recent', 'target')) return;
    this.#spilledAtMs = context.nowMs;
    if (context.nowMs - this.#targetLoggedAtMs < TARGET_LOG_EVERY_MS) return;
    this.#targetLoggedAtMs = context.nowMs;
    context.log('spill.started', 'info', 'target');
  }

  /** Process memory above spill: reclaims first, then spills what is needed. */
  relieveProcess(): void {
    const { evictions, dropped, processBytes, thresholds } = this.#context;
    if (processBytes === undefined || thresholds.reclaimBytes === false) {
      this.#endSpilling();
      return;
    }
    const isAbove = processBytes > thresholds.reclaimBytes;
    const isEnough = !this.#isSpilling || processBytes <= thresholds.spillGoalBytes;
    if (!isAbove && isEnough) {
      this.#endSpilling();
      this.#reclaim.relax();
      return;
    }
    if (this.#reclaim.isClimbing) return;
    // Everything asked for has left and has yet to be seen in process memory.
    const isUnseen = this.#isSpilling && evictions.leavingCount === 0 && dropped.bytes > 0;
    if (this.#reclaim.mayClimb(isUnseen)) {
      this.#dropClean();
      this.#reclaim.climb();
      return;
    }
    if (thresholds.spillBytes !== false) this.#spill(thresholds.spillBytes);
  }

  /** The first rung: what is on disk already costs nothing to let go of, if live memory is too high at all. */
  #dropClean(): void {
    const context = this.#context;
    const { spillBytes, spillGoalBytes } = context.thresholds;
    context.dropCachedCopies();
    if (spillBytes === false || context.liveBytes <= spillBytes) return;
    const needBytes = context.liveBytes - spillGoalBytes - context.leavingBytes;
    if (needBytes > 0) context.evict(needBytes, 'clean-only', 'spill');
  }

  #spill(spillBytes: number): void {
    const context = this.#context;
    const { liveBytes } = context;
    const { spillGoalBytes } = context.thresholds;
    if (liveBytes > spillBytes) this.#isSpilling = true;
    else if (!this.#isSpilling) return;
    if (liveBytes <= spillGoalBytes) {
      this.#endSpilling();
      return;
    }
    // Dropped values are part of the hoard, so that the larger of the two is what is expected to return by itself.
    const returningBytes = Math.max(context.processBytes! - liveBytes, context.dropped.bytes);
    const expectedBytes = context.processBytes! - returningBytes;
    const needBytes = expectedBytes - spillGoalBytes - context.leavingBytes;
    if (needBytes <= 0) return;
    context.dropCachedCopies();
    if (context.evict(needBytes, 'cheapest', 'spill')) this.#logStart();
    else if (context.leavingBytes > 0) return;
    else if (expectedBytes > spillBytes) this.#warn();
    else if (liveBytes <= spillBytes) this.#endSpilling();
  }

  #logStart(): void {
    if (this.#isStartLogged) return;
    this.#isStartLogged = true;
    this.#context.log('spill.started', 'info', 'spill');
  }

  #endSpilling(): void {
    this.#isSpilling = false;
    if (!this.#isStartLogged) return;
    this.#isStartLogged = false;
    this.#context.log('spill.ended', 'info', 'spill');
  }

  #warn(): void {
    const context = this.#context;
    if (context.nowMs - this.#warnedAtMs < WARN_EVERY_MS) return;
    this.#warnedAtMs = context.nowMs;
    context.ask({ type: 'warn-unmanaged', why: this.#whyNothingIsLeft(), numbers: context.numbers('spill') });
  }

  #whyNothingIsLeft(): 'unmanaged' | 'in-use' | 'disk' {
    const { accounting, evictions, liveBytes, thresholds } = this.#context;
    const isTooMuchAlone = liveBytes - accounting.managedBytes > thresholds.spillGoalBytes;
    if (accounting.ramBytes === 0 || isTooMuchAlone) return 'unmanaged';
    if (evictions.disk.reason !== undefined || evictions.pinnedCount === 0) return 'disk';
    return 'in-use';
  }
}
