/**
 * How far the JavaScript heaps of a worker may grow. V8's own default depends on the machine, not on the limit, and moves
 * with Node's version, so every heap of a worker gets a cap of ours.
 */

export interface HeapCaps {
  /** Of the isolate that runs the control loop: bookkeeping, no values and no user code. */
  readonly mainOldSpaceBytes: number;
  /** Of each thread that runs user code. */
  readonly threadOldSpaceBytes: number;
  /** Of what each such thread has made a moment ago, which V8 keeps apart and never gives back wholly. */
  readonly threadYoungSpaceBytes: number;
}

const MEBIBYTE = 2 ** 20;
/** Process memory of an idle worker with one thread, without that thread (measured, Node 20: 45 MiB are Node's own code). */
const IDLE_WORKER_BYTES = 92 * MEBIBYTE;
/** What each further thread adds that has run a task and is idle (measured). */
const IDLE_THREAD_BYTES = 14 * MEBIBYTE;
/** Below these an isolate may not even start, or spends its time collecting. */
const LEAST_MAIN_BYTES = 64 * MEBIBYTE;
const LEAST_THREAD_BYTES = 32 * MEBIBYTE;
/**
 * V8's own is 48 MiB a thread, which in a worker of 256 MiB is held for nobody: with 8 MiB the demo peaks a few MB lower and
 * reads a third less back from disk (ADR 0017 has the figures). Less collects more often.
 */
const YOUNG_FRACTION = 1 / 32;
const LEAST_YOUNG_BYTES = 4 * MEBIBYTE;
const MOST_YOUNG_BYTES = 48 * MEBIBYTE;

/**
 * Caps for a worker that may use `limitBytes` (without a limit: what there is). A thread's cap is high (architecture D3):
 * any one task may need nearly all, and at the cap V8 aborts the whole process in some of the ways to reach it. It is
 * where the process would be at its limit by this heap alone, so whoever watches process memory comes first.
 */
export function heapCaps(limitBytes: number, nthreads: number): HeapCaps {
  const othersBytes = IDLE_WORKER_BYTES + (nthreads - 1) * IDLE_THREAD_BYTES;
  return {
    mainOldSpaceBytes: wholeMebibytes(Math.max(LEAST_MAIN_BYTES, limitBytes / 2)),
    threadOldSpaceBytes: wholeMebibytes(
      Math.max(LEAST_THREAD_BYTES, limitBytes / 2, limitBytes - othersBytes),
    ),
    threadYoungSpaceBytes: wholeMebibytes(
      Math.min(MOST_YOUNG_BYTES, Math.max(LEAST_YOUNG_BYTES, (limitBytes * YOUNG_FRACTION) / nthreads)),
    ),
  };
}

/** The option of `node` that sets the cap of the main isolate; it cannot be set from within. */
export const mainHeapOption = ({ mainOldSpaceBytes }: HeapCaps): string =>
  `--max-old-space-size=${mainOldSpaceBytes / MEBIBYTE}`;

/** V8 counts in them. */
const wholeMebibytes = (bytes: number): number => Math.floor(bytes / MEBIBYTE) * MEBIBYTE;
