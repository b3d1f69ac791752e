/** What each worker of a nanny may use of a machine, or of the container that it shares with the nanny. */
import type { SpillwayConfig } from '@spillway/config';
import {
  heapCaps,
  limitText,
  LimitWatch,
  mainHeapOption,
  resolveMemoryLimit,
  thisMachine,
  warningText,
  type Machine,
  type MemoryLimitReading,
} from '@spillway/platform';
import type { Cancellable, Logger, Timers } from '@spillway/ports';

/**
 * Kept by `auto` for what else a nanny's container runs: the nanny itself (62 MB when idle) and, every few seconds, a
 * health check (60 MB).
 */
const RESERVE_BYTES = 128 * 2 ** 20;

type Settings = Pick<SpillwayConfig, 'worker' | 'nanny'>;

/** The limit of each worker, worked out once for all workers of the nanny (conventions C04). */
export function readWorkerLimit(
  { worker, nanny }: Settings,
  machine: Machine = thisMachine(),
): MemoryLimitReading {
  const { limit } = worker.memory;
  const share = limit.kind === 'auto' ? nanny.memoryShare : 1;
  const resolved = resolveMemoryLimit(limit, {
    totalBytes: machine.totalBytes * share,
    cores: machine.cores * share,
    isCgroupLimited: machine.isCgroupLimited,
    workers: nanny.workers,
    nthreads: worker.nthreads,
    nannyReserveBytes: RESERVE_BYTES,
  });
  return { ...resolved, machine };
}

export interface WorkersMemoryOptions {
  readonly config: Settings;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly onChanged: (limitBytes: number | false) => void;
  readonly read?: () => MemoryLimitReading;
}

/** Follows the limit while the nanny runs, and says what a worker is to be started with. */
export class WorkersMemory implements Cancellable {
  readonly #options: WorkersMemoryOptions;
  readonly #watch: LimitWatch;

  constructor(options: WorkersMemoryOptions) {
    this.#options = options;
    const { config, timers, onChanged } = options;
    const read = options.read ?? ((): MemoryLimitReading => readWorkerLimit(config));
    const first = read();
    this.#log('memory.limit', first);
    this.#watch = new LimitWatch({
      timers,
      intervalMs: config.worker.memory.limitInterval,
      first,
      read,
      onChanged: (now) => {
        this.#log('memory.limit-changed', now);
        onChanged(now.limitBytes);
      },
    });
  }

  /** Of each worker that starts now. */
  get limitBytes(): number | false {
    return this.#watch.current.limitBytes;
  }

  /** The setting `worker.memory.limit` of a worker that starts now. */
  get setting(): string {
    const { limitBytes } = this.#watch.current;
    return limitBytes === false ? 'none' : `${limitBytes} B`;
  }

  /** Options of `node` for a worker that starts now: the heap of its main isolate can be capped in no other way. */
  get execArgv(): readonly string[] {
    const { limitBytes, machine } = this.#watch.current;
    const caps = heapCaps(
      limitBytes === false ? machine.totalBytes : limitBytes,
      this.#options.config.worker.nthreads,
    );
    return [mainHeapOption(caps)];
  }

  cancel(): void {
    this.#watch.cancel();
  }

  #log(event: 'memory.limit' | 'memory.limit-changed', reading: MemoryLimitReading): void {
    const { config, logger } = this.#options;
    const { limitBytes, warning, machine } = reading;
    const { workers } = config.nanny;
    logger.info(
      { event, limitBytes, workers, ...machine },
      `${workers === 1 ? 'the worker has' : `each of ${workers} workers has`} ${limitText(reading)}`,
    );
    if (warning !== undefined)
      logger.warn({ event: 'memory.limit-warning', ...warning }, warningText(warning));
  }
}
