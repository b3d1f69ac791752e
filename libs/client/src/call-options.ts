/** How every long call of the client is bounded: by an `AbortSignal`, by a time, or not at all (conventions J01). */
import { parseDuration } from '@spillway/config';
import { DeadlineExceededError, InvalidArgumentError } from '@spillway/kernel';
import type { Timers } from '@spillway/ports';
import { onAbort } from './abort-listeners.js';

/** Milliseconds, or text with units: `'5s'`, `'2 minutes'`. */
export type Duration = number | string;

export interface CallOptions {
  /** Aborting it ends the call, which rejects with the signal's reason as it is. */
  readonly signal?: AbortSignal | undefined;
  /** Longest time the call may take; then it rejects with `DeadlineExceededError`. No limit when absent. */
  readonly timeout?: Duration | undefined;
}

/** Whole milliseconds of a duration. Throws `InvalidArgumentError` that names the option. */
export function toMs(duration: Duration, optionName: string): number {
  const durationMs = typeof duration === 'number' ? duration : parseDuration(duration);
  if (durationMs !== undefined && Number.isFinite(durationMs) && durationMs >= 0) return durationMs;
  throw new InvalidArgumentError(
    `"${String(duration)}" is not a duration for ${optionName}. Give milliseconds as a number, or text such as "5s".`,
    { details: { option: optionName } },
  );
}

/** Node's timers fire at once above this. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * Runs `work` within the bounds. When a bound is reached the promise rejects at once and the signal that `work` was
 * given aborts with the same reason; what `work` does after that is ignored.
 */
export function bounded<T>(
  what: string,
  options: CallOptions,
  timers: Timers,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, timeout } = options;
  const controller = new AbortController();
  if (signal === undefined && timeout === undefined) return work(controller.signal);
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = (reason: unknown): void => {
      controller.abort(reason);
      // The reason is the caller's own and is kept as it is, whatever it is.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      reject(reason);
    };
    const timer = timeout === undefined ? undefined : deadline(what, timeout, timers, stop);
    const stopListening = signal && onAbort(signal, () => stop(signal.reason));
    const done = (): void => {
      timer?.cancel();
      stopListening?.();
    };
    void work(controller.signal).then(resolve, reject).finally(done);
  });
}

function deadline(what: string, timeout: Duration, timers: Timers, stop: (reason: unknown) => void) {
  const timeoutMs = toMs(timeout, 'timeout');
  return timers.after(Math.min(timeoutMs, TIMER_MS_MAX), () => {
    stop(
      new DeadlineExceededError(
        `${what} did not finish within ${timeoutMs} ms. It goes on; call again to wait longer, or cancel it.`,
        { details: { timeoutMs: `${timeoutMs}` } },
      ),
    );
  });
}
