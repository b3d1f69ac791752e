/** What every transfer can be told, and how long it waits when it is told nothing. */

export interface TransferOptions {
  readonly signal?: AbortSignal;
  /** The whole transfer, from now. */
  readonly deadlineMs?: number;
  /** Longest time without a single byte. */
  readonly idleMs?: number;
}

/** Long, since a transfer that still moves is alive; what does not move ends after `idleMs`. */
export const TRANSFER_DEADLINE_MS = 60 * 60_000;
export const TRANSFER_IDLE_MS = 10_000;

/** Calls `onAbort` once when any of the signals aborts, or has. Dispose it to stop listening. */
export function whenAborted(
  signals: readonly (AbortSignal | undefined)[],
  onAbort: (reason: unknown) => void,
): Disposable {
  const stop = new AbortController();
  for (const signal of signals) {
    if (signal === undefined) continue;
    const abort = (): void => {
      stop.abort();
      onAbort(signal.reason);
    };
    if (signal.aborted) {
      abort();
      break;
    }
    signal.addEventListener('abort', abort, { once: true, signal: stop.signal });
  }
  return { [Symbol.dispose]: () => stop.abort() };
}
