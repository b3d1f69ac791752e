/** Manually trimming the workers' memory, and what its outcome means (founding document, "Manually trim memory"). */
import { aboutBytes } from '@spillway/kernel';
import { BUILT_IN_MODULE, type TrimReport } from '@spillway/messages';
import { preinstalled } from './remote-function.js';
import type { RemoteFunction } from './task-function.js';

/**
 * Has a worker give back what it holds for nobody: garbage is collected, and malloc told to let go of what was freed.
 * For a look at what a worker's unmanaged memory is: `await client.run(trimMemory)` gives a report by worker id. Workers
 * do the same by themselves when it is worth it.
 */
export const trimMemory: RemoteFunction<() => TrimReport> = preinstalled(BUILT_IN_MODULE, 'trimMemory');

/**
 * `hoarded`: unmanaged memory decreased significantly, so it was used by nobody. `little`: it did not, and there is hardly
 * more than a worker needs for itself. `in-use-or-leaked`: it did not, so running tasks use it or it is lost.
 * `cannot-be-trimmed`: it did not, and malloc could not be told.
 */
export type TrimVerdict = 'hoarded' | 'little' | 'in-use-or-leaked' | 'cannot-be-trimmed';

export interface TrimConclusion {
  readonly verdict: TrimVerdict;
  readonly unmanagedBeforeBytes: number;
  readonly unmanagedAfterBytes: number;
  /** Negative when process memory grew meanwhile. */
  readonly givenBackBytes: number;
  /** For people: what it means, and what to do next. */
  readonly text: string;
}

/** A decrease is significant from this share of unmanaged memory on, and from so many bytes: less is noise of running code. */
const SIGNIFICANT_FRACTION = 0.1;
const SIGNIFICANT_BYTES = 16 * 1024 ** 2;
/** What an idle worker takes for itself is 70 to 90 MiB, and its threads add to that. */
const OWN_BYTES = 128 * 1024 ** 2;

/** What managed memory was before is not reported: what it is after stands for both. */
export function concludeTrim(report: TrimReport): TrimConclusion {
  const { beforeBytes, afterBytes, managedBytes } = report;
  const unmanagedBeforeBytes = Math.max(0, beforeBytes - managedBytes);
  const unmanagedAfterBytes = Math.max(0, afterBytes - managedBytes);
  const givenBackBytes = beforeBytes - afterBytes;
  const isSignificant =
    givenBackBytes >= Math.max(SIGNIFICANT_BYTES, unmanagedBeforeBytes * SIGNIFICANT_FRACTION);
  const verdict = isSignificant ? 'hoarded' : verdictWithoutDecrease(report, unmanagedAfterBytes);
  const text = say(verdict, report, aboutBytes(unmanagedBeforeBytes), aboutBytes(unmanagedAfterBytes));
  return { verdict, unmanagedBeforeBytes, unmanagedAfterBytes, givenBackBytes, text };
}

function verdictWithoutDecrease({ trimmed }: TrimReport, unmanagedBytes: number): TrimVerdict {
  if (unmanagedBytes <= OWN_BYTES) return 'little';
  return trimmed ? 'in-use-or-leaked' : 'cannot-be-trimmed';
}

function say(verdict: TrimVerdict, report: TrimReport, before: string, after: string): string {
  switch (verdict) {
    case 'hoarded':
      return (
        `Unmanaged memory fell from ${before} to ${after}: it was hoarded, not leaked. ` +
        (report.trimmed
          ? 'To have it given back earlier, set worker.memory.trim lower: see "Automatically trim memory".'
          : 'It was garbage: to have it collected earlier, set worker.memory.garbage-debt lower.')
      );
    case 'little':
      return `Unmanaged memory is ${after}, hardly more than a worker needs for itself: no hoard, and no sign of a leak.`;
    case 'in-use-or-leaked':
      return (
        `Unmanaged memory stays at ${after}: it is not hoarded. Running tasks use it, or it is leaked. Trim again when ` +
        'the worker is idle; what is there then is kept by task code (module variables, caches, timers) or native packages.'
      );
    case 'cannot-be-trimmed':
      return `Unmanaged memory stays at ${after}, and nobody can tell by this what it is. ${whyNot(report)}`;
  }
}

function whyNot({ allocator }: TrimReport): string {
  switch (allocator) {
    case 'glibc':
      return 'malloc_trim could not be called in this worker.';
    case 'jemalloc':
      return 'jemalloc gives memory back by itself, after its decay times: set them with MALLOC_CONF in nanny.environ.';
    case 'musl':
      return 'musl cannot be told to give memory back: use an image with glibc, or jemalloc (nanny.allocator).';
    case 'other':
      return 'The allocator of this system (as on macOS) cannot be told to give memory back: try jemalloc (nanny.allocator).';
  }
}
