/**
 * The parts of process memory that the founding document names. Not: what decisions are made on, which is live memory
 * (hoard.ts).
 */

export interface MemoryBreakdown {
  readonly processBytes: number;
  readonly managedBytes: number;
  readonly unmanagedOldBytes: number;
  readonly unmanagedRecentBytes: number;
  /** Part of the two unmanaged ones. */
  readonly hoardedBytes: number;
}

export interface MemoryReading {
  readonly processBytes: number;
  readonly managedBytes: number;
  /** The least unmanaged memory of the last `recent-to-old-time`. */
  readonly unmanagedOldBytes: number;
  readonly hoardedBytes: number;
}

/** Whole bytes, whatever was measured: sums of them are exact. */
export const wholeBytes = (bytes: number): number =>
  bytes > 0 ? Math.min(Math.floor(bytes), Number.MAX_SAFE_INTEGER) : 0;

/** Invariant: managed + unmanagedOld + unmanagedRecent is exactly process, and hoarded is not more than unmanaged. */
export function breakDown(reading: MemoryReading): MemoryBreakdown {
  const processBytes = wholeBytes(reading.processBytes);
  // The parts are read at different moments, so one of them can look larger than the whole.
  const managedBytes = Math.min(wholeBytes(reading.managedBytes), processBytes);
  const unmanagedBytes = processBytes - managedBytes;
  const unmanagedOldBytes = Math.min(wholeBytes(reading.unmanagedOldBytes), unmanagedBytes);
  return {
    processBytes,
    managedBytes,
    unmanagedOldBytes,
    unmanagedRecentBytes: unmanagedBytes - unmanagedOldBytes,
    hoardedBytes: Math.min(wholeBytes(reading.hoardedBytes), unmanagedBytes),
  };
}

/** The least of the samples that are not older than the window. A first sample is the least by itself: all of it is old. */
export class RollingMinimum {
  /** Times and samples that can still become the least: both rise. */
  readonly #rising: { readonly atMs: number; readonly bytes: number }[] = [];

  constructor(private readonly windowMs: number) {}

  /** Invariant: the least of all samples added within the window before the last one. */
  get bytes(): number {
    return this.#rising[0]?.bytes ?? 0;
  }

  /** Requires: time does not go back. */
  add(bytes: number, nowMs: number): void {
    while ((this.#rising.at(-1)?.bytes ?? -Infinity) >= bytes) this.#rising.pop();
    this.#rising.push({ atMs: nowMs, bytes });
    while (this.#rising[0]!.atMs < nowMs - this.windowMs) this.#rising.shift();
  }
}
