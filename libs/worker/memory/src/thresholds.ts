/** The thresholds in bytes. All move at once when the limit does. Comparisons with them are strict: at one is not above it. */
import { garbageBudgetBytes } from './garbage-debt.js';
import type { MemoryMachineOptions } from './options.js';

export interface Thresholds {
  readonly limitBytes: number | false;
  readonly targetBytes: number | false;
  readonly spillBytes: number | false;
  /** Spilling by process memory goes on until live memory is not above it. */
  readonly spillGoalBytes: number;
  readonly pauseBytes: number | false;
  /** Where the nanny ends the process. */
  readonly terminateBytes: number | false;
  /** A paused worker may go on when live memory is not above it. */
  readonly resumeBytes: number;
  /** Process memory above it is reclaimed. `false`: process memory is ignored. */
  readonly reclaimBytes: number | false;
  readonly spillDebtBytesMax: number | false;
  readonly garbageBytesMax: number | false;
}

/** With terminate alone, reclaiming begins so far below it: at the threshold itself the nanny would be first. */
const RECLAIM_BELOW_TERMINATE_FRACTION = 0.1;

/** Fractions of a limit are not exact in binary; bytes are whole, so the next whole number below decides the same. */
const ROUNDING_SLACK_BYTES = 1e-6;

export function thresholdsOf(options: MemoryMachineOptions, limitBytes: number | false): Thresholds {
  const share = (fraction: number | false): number | false =>
    fraction === false || limitBytes === false
      ? false
      : Math.floor(limitBytes * Math.max(0, fraction) + ROUNDING_SLACK_BYTES);
  const { targetFraction, spillFraction, pauseFraction, terminateFraction } = options;
  return {
    limitBytes,
    targetBytes: share(targetFraction),
    spillBytes: share(spillFraction),
    spillGoalBytes: share(targetFraction === false ? spillFraction : targetFraction) || 0,
    pauseBytes: share(pauseFraction),
    terminateBytes: share(terminateFraction),
    resumeBytes:
      share(pauseFraction === false ? false : pauseFraction - (options.pauseReleaseGapFraction || 0)) || 0,
    reclaimBytes: share(lowest(spillFraction, pauseFraction, reclaimFor(terminateFraction))),
    spillDebtBytesMax: share(options.spillDebtFraction),
    garbageBytesMax:
      options.garbageDebtFraction === false
        ? false
        : garbageBudgetBytes(limitBytes, options.garbageDebtFraction),
  };
}

const reclaimFor = (terminateFraction: number | false): number | false =>
  terminateFraction === false ? false : terminateFraction - RECLAIM_BELOW_TERMINATE_FRACTION;

function lowest(...fractions: readonly (number | false)[]): number | false {
  const on = fractions.filter((fraction) => fraction !== false);
  return on.length === 0 ? false : Math.min(...on);
}
