/** What a memory machine is told at construction; the program fills it from the settings `worker.memory.*`. */

export interface MemoryMachineOptions {
  /** What the fractions below are shares of; `false`: no threshold applies. Can be changed by `limit-changed`. */
  readonly limitBytes: number | false;
  /** Managed memory above it is spilled; spilling by process memory ends here. `false`: off. */
  readonly targetFraction: number | false;
  /** Process memory above it is reclaimed, then values are spilled. `false`: off. */
  readonly spillFraction: number | false;
  /** Process memory above it pauses the worker. `false`: off. */
  readonly pauseFraction: number | false;
  /** The nanny acts on it, not this machine; process memory is looked at as long as one threshold of it is on. */
  readonly terminateFraction: number | false;
  /** A paused worker goes on this share of the limit below `pauseFraction`; `false`: at `pauseFraction` itself. */
  readonly pauseReleaseGapFraction: number | false;
  /** How long a paused worker keeps tasks that it has not started; `false`: until it runs again. */
  readonly pauseReturnMs: number | false;
  /** How long it stays paused with nothing to spill before it asks to be recycled; `false`: for ever. */
  readonly pauseRecycleMs: number | false;
  /** Share of the limit that may be on its way to disk before no new task starts; `false`: no bound. */
  readonly spillDebtFraction: number | false;
  /** Share of the limit that dropped values may take before the isolates collect; `false`: never asked to. */
  readonly garbageDebtFraction: number | false;
  /** Freed memory that malloc keeps is trimmed above so many bytes; `false`: only under pressure. */
  readonly trimBytes: number | false;
  /** How old unmanaged memory is when it no longer counts as recent. */
  readonly recentToOldMs: number;
}

const MEBIBYTE = 1024 * 1024;

/** The defaults of the settings, without a limit. */
export const DEFAULT_MEMORY_OPTIONS: MemoryMachineOptions = {
  limitBytes: false,
  targetFraction: 0.6,
  spillFraction: 0.7,
  pauseFraction: 0.8,
  terminateFraction: 0.95,
  pauseReleaseGapFraction: 0.05,
  pauseReturnMs: 1000,
  pauseRecycleMs: 15_000,
  spillDebtFraction: 0.1,
  garbageDebtFraction: 0.0625,
  trimBytes: 64 * MEBIBYTE,
  recentToOldMs: 30_000,
};
