/** The memory limit of this worker: what it comes to, and how all that keep to it hear of a change. */
import type { SpillwayConfig } from '@spillway/config';
import {
  LimitWatch,
  resolveMemoryLimit,
  thisMachine,
  warningText,
  type Machine,
  type MemoryLimitReading,
} from '@spillway/platform';
import type { Cancellable, Logger, Timers } from '@spillway/ports';

/** The limit of a worker that shares with nobody; what its nanny handed it, if it has one, is divided already. */
export function readOwnLimit(
  { worker }: Pick<SpillwayConfig, 'worker'>,
  machine: Machine = thisMachine(),
): MemoryLimitReading {
  const sharing = { ...machine, workers: 1, nthreads: worker.nthreads, nannyReserveBytes: 0 };
  return { ...resolveMemoryLimit(worker.memory.limit, sharing), machine };
}

/** The limit as it is now. What has no limit never gets one, and what has one keeps one. */
export class LiveLimit {
  readonly #listeners: ((limitBytes: number) => void)[] = [];
  #bytes: number | false;

  constructor(bytes: number | false) {
    this.#bytes = bytes;
  }

  get bytes(): number | false {
    return this.#bytes;
  }

  /** For all that derives something from the limit: a threshold, a budget. */
  onChanged(listener: (limitBytes: number) => void): void {
    this.#listeners.push(listener);
  }

  change(limitBytes: number): void {
    if (this.#bytes === false || limitBytes === this.#bytes) return;
    this.#bytes = limitBytes;
    for (const listener of this.#listeners) listener(limitBytes);
  }
}

export interface OwnLimitOptions {
  readonly config: SpillwayConfig;
  readonly first: MemoryLimitReading;
  readonly limit: LiveLimit;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Looks at the machine again and again, for a worker without a nanny: a nanny does that for all its workers, and tells. */
export function followOwnLimit({ config, first, limit, timers, logger }: OwnLimitOptions): Cancellable {
  return new LimitWatch({
    timers,
    intervalMs: config.worker.memory.limitInterval,
    first,
    read: () => readOwnLimit(config),
    onChanged: (now) => {
      logLimitWarning(now, logger);
      if (now.limitBytes !== false) limit.change(now.limitBytes);
    },
  });
}

export function logLimitWarning({ warning }: MemoryLimitReading, logger: Logger): void {
  if (warning !== undefined) logger.warn({ event: 'memory.limit-warning', ...warning }, warningText(warning));
}
