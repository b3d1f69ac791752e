/**
 * Pausing, as a state with a clock (D5): entered above pause, left at or below a lower point after two samples in a row;
 * after a moment what has not started is handed back; and when nothing can be spilled or reclaimed for long, the worker asks
 * to be recycled. Decides on live memory, so that what is only hoarded pauses nobody.
 */
import type { MemoryContext } from './context.js';
import type { Pressure } from './pressure.js';
import type { Reclaim } from './reclaim.js';

const CLEAN_SAMPLES = 2;

type State =
  | { readonly name: 'running' }
  | {
      readonly name: 'paused';
      readonly sinceMs: number;
      cleanCount: number;
      isHandedBack: boolean;
      isRecycling: boolean;
    };

export class Pause {
  #state: State = { name: 'running' };

  constructor(
    private readonly context: MemoryContext,
    private readonly pressure: Pressure,
    private readonly reclaim: Reclaim,
  ) {}

  get isPaused(): boolean {
    return this.#state.name === 'paused';
  }

  get nextWakeMs(): number | undefined {
    if (this.#state.name === 'running') return undefined;
    const { pauseReturnMs, pauseRecycleMs } = this.context.options;
    const { sinceMs, isHandedBack } = this.#state;
    if (pauseReturnMs !== false && !isHandedBack) return sinceMs + pauseReturnMs;
    // Later than that, what is missing for a recycle comes with other events.
    const recycleMs = pauseRecycleMs === false ? -Infinity : sinceMs + pauseRecycleMs;
    return recycleMs > this.context.nowMs ? recycleMs : undefined;
  }

  /** `isFresh`: a new sample, not an old one looked at again. */
  review(isFresh: boolean): void {
    const { liveBytes, processBytes, thresholds } = this.context;
    if (processBytes === undefined) return;
    const { pauseBytes, resumeBytes } = thresholds;
    if (this.#state.name === 'running') {
      if (pauseBytes !== false && liveBytes > pauseBytes) this.#pause();
      return;
    }
    if (pauseBytes === false) {
      this.#resume();
      return;
    }
    if (liveBytes > resumeBytes) this.#state.cleanCount = 0;
    else if (isFresh) this.#state.cleanCount++;
    if (this.#state.cleanCount >= CLEAN_SAMPLES) this.#resume();
  }

  /** What the time brings to a paused worker. */
  onTime(): void {
    const { nowMs, options } = this.context;
    const state = this.#state;
    if (state.name === 'running') return;
    if (
      options.pauseReturnMs !== false &&
      !state.isHandedBack &&
      nowMs >= state.sinceMs + options.pauseReturnMs
    ) {
      state.isHandedBack = true;
      this.context.ask({ type: 'hand-back-unstarted' });
    }
    if (options.pauseRecycleMs === false || state.isRecycling) return;
    if (nowMs < state.sinceMs + options.pauseRecycleMs || !this.#wouldRecyclingHelp(state.sinceMs)) return;
    state.isRecycling = true;
    this.#recycle(nowMs - state.sinceMs);
  }

  /**
   * Nothing can be spilled, reclaiming was tried, no task runs whose end could free memory, and what is managed would fit
   * beside what an idle process has: otherwise a fresh one would soon stand where this one does, with its values to be made
   * again, and so on for ever.
   */
  #wouldRecyclingHelp(pausedAtMs: number): boolean {
    const { accounting, evictions, executingCount, idleBytes, liveBytes, thresholds } = this.context;
    if (this.pressure.hasSpillable || this.reclaim.isClimbing) return false;
    if ((this.reclaim.endedAtMs ?? -Infinity) < pausedAtMs) return false;
    if (executingCount > 0 || evictions.pinnedCount > 0) return false;
    const freshBytes = idleBytes + accounting.managedBytes;
    return freshBytes <= thresholds.resumeBytes && liveBytes > thresholds.resumeBytes;
  }

  #pause(): void {
    const { nowMs } = this.context;
    this.#state = { name: 'paused', sinceMs: nowMs, cleanCount: 0, isHandedBack: false, isRecycling: false };
    this.context.log('worker.paused', 'warn', 'pause');
    this.context.ask({ type: 'set-status', status: 'paused' });
    this.context.ask({ type: 'set-serving-max', transfersMax: 1 });
  }

  #resume(): void {
    this.#state = { name: 'running' };
    this.context.log('worker.resumed', 'info', 'pause');
    this.context.ask({ type: 'set-serving-max', transfersMax: false });
    this.context.ask({ type: 'set-status', status: 'running' });
  }

  #recycle(pausedForMs: number): void {
    const { processBytes, thresholds, breakdown } = this.context;
    this.context.log('worker.recycling', 'warn', 'pause');
    const unmanagedBytes = breakdown.unmanagedOldBytes + breakdown.unmanagedRecentBytes;
    const reason =
      `Process memory (${processBytes} bytes) stayed above ${thresholds.resumeBytes} bytes for ${pausedForMs} ms, of which ` +
      `${unmanagedBytes} bytes are not managed; there is nothing left to spill, and reclaiming did not help.`;
    this.context.ask({ type: 'recycle-worker', reason });
  }
}
