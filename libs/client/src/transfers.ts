/** What all transfers of one client share: how long they wait, and what is known about the way to each worker. */
import type { Clock, Timers } from '@spillway/ports';
import { untilCalled } from './abort-listeners.js';
import type { Reachability } from './reachability.js';

export interface TransferSettings {
  readonly clock: Clock;
  readonly reachability: Reachability;
  /** Silence after which a transfer is broken off. */
  readonly idleMs: number;
  /** Pause before asking a busy or forgetful cluster again. */
  readonly retryMs: number;
  /** How long a value waits for the first worker to be put on. */
  readonly workerWaitMs: number;
  /** Most bytes asked for in one call to one worker. */
  readonly requestBytesMax: number;
}

/** Resolves after a while. Rejects with the signal's reason when that aborts first. */
export function pauseFor(timers: Timers, delayMs: number, signal?: AbortSignal): Promise<void> {
  return untilCalled(signal, (done) => {
    const timer = timers.after(delayMs, done);
    return () => timer.cancel();
  });
}
