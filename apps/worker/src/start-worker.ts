import { getHeapStatistics } from 'node:v8';
import { formatBytes } from '@spillway/config';
import { createLogger } from '@spillway/telemetry';
import type { WorkerId } from '@spillway/kernel';
import { contactAddressOf, heapCapsText, limitText, systemTimers } from '@spillway/platform';
import type { Cancellable, LogFields, Logger } from '@spillway/ports';
import { TransferThread } from '@spillway/worker-transfer';
import { composeWorker } from './compose-worker.js';
import { followOwnLimit, logLimitWarning } from './memory-limit.js';
import {
  resolveWorker,
  type ResolvedWorker,
  type WorkerOptions,
  type WorkerOrigin,
} from './worker-options.js';

export interface WorkerEnd {
  /** `recycle`: the worker wants a fresh one in its place. `lost`: the scheduler is gone. `retired`: it has left for good. */
  readonly how: 'recycle' | 'closed' | 'lost' | 'retired';
  readonly reason: string;
  /** What it has is for a worker of its name that comes later. */
  readonly leavesValues: boolean;
}

export interface RunningWorker {
  readonly workerId: WorkerId;
  readonly name: string;
  /** `host:port` of the data service. */
  readonly address: string;
  /** Resolves when the worker cannot or must not go on; `close` is then still to be called. */
  readonly ended: Promise<WorkerEnd>;
  /** The nanny found the machine or container resized. */
  limitChanged(limitBytes: number): void;
  /**
   * Asks the scheduler to copy what only this worker has, which ends in `ended`. False where that is of no use because there
   * is no scheduler: then `close`. `hasSuccessor`: another worker of this name starts next, which takes over what it can. Without a deadline it has what `worker.retire-deadline` says.
   */
  retire(reason: string, deadlineMs?: number, hasSuccessor?: boolean): boolean;
  /** `worker.retire-deadline`, in milliseconds. */
  readonly retireMs: number | false;
  /** `hasNextLife`: another worker starts under this name, and can take over what this one has. Default: it does not. */
  close(reason: string, hasNextLife?: boolean): Promise<void>;
  /** Removes what a killed worker would leave on disk to nobody; for one that ends without `close`. */
  abandon(): void;
  /** After `close`: a native call holds one of its threads, for whose end `process.exit` would wait. */
  hasThread(): boolean;
}

/** Starts a worker in this process. Settings come from files and the environment, then from `options`. */
export async function startWorker(
  schedulerAddress: string,
  options: WorkerOptions = {},
  origin: WorkerOrigin = {},
): Promise<RunningWorker> {
  const resolved = await resolveWorker(schedulerAddress, options, origin);
  const { config, workerId, name, programs } = resolved;
  const logger = createLogger({ service: 'worker', instance: name, level: config.log.level });
  if (origin.nannyId === undefined)
    logger.warn(
      { event: 'worker.no-nanny' },
      'this worker runs without a nanny: nobody ends it when its memory runs away, nobody restarts it, and its allocator is as ' +
        'the environment has it: set MALLOC_TRIM_THRESHOLD_=65536 and MALLOC_ARENA_MAX=2 before it starts (docs/allocator.md)',
    );
  let end!: (how: WorkerEnd) => void;
  const ended = new Promise<WorkerEnd>((resolve) => (end = resolve));
  const worker = await composeWorker(resolved, logger, (how, reason, leavesValues = how === 'recycle') =>
    end({ how, reason, leavesValues }),
  );
  const transfers = await TransferThread.start({
    entry: programs.transferThread,
    listenAddress: `${config.worker.host}:${config.worker.port}`,
    source: worker.runtime,
    servingMax: config.worker.connections.incoming,
    ...(origin.nannyId === undefined ? {} : { parentPid: process.ppid }),
    logger,
    onEnded: (error) => end({ how: 'recycle', reason: error.message, leavesValues: true }),
  });
  const address = contactAddressOf(transfers.address, config.worker.contactAddress);
  const limitWatch = followLimit(resolved, logger);
  const close = async (reason: string, hasNextLife = false): Promise<void> => {
    logger.info({ event: 'worker.closing', reason }, 'worker closing');
    limitWatch?.cancel();
    await worker.close(reason, hasNextLife);
    await transfers.close();
    logger.info({ event: 'worker.closed' }, 'worker closed');
  };
  try {
    await worker.register(transfers, address);
  } catch (error) {
    // What its former life left is as good for the next one.
    await close('The worker could not register.', true);
    throw error;
  }
  logger.info(
    { event: 'worker.ready', address, scheduler: schedulerAddress, ...memoryFields(resolved) },
    `worker registered: ${limitText(resolved.limitReading)}; ${heapCapsText(resolved.heapCaps)}`,
  );
  const limitChanged = (now: number): void => resolved.limit.change(now);
  const retireMs = config.worker.retireDeadline;
  const retire = (reason: string, deadlineMs = retireMs, hasSuccessor = false): boolean =>
    deadlineMs !== false &&
    worker.runtime.requestRetirement(reason, deadlineMs, {
      mayLeave: worker.canLeaveValues,
      leavesAll: hasSuccessor && worker.leavesValues,
    });
  const abandon = (): void => worker.abandon();
  const hasThread = (): boolean => worker.hasThread();
  return { workerId, name, address, ended, limitChanged, retire, retireMs, close, abandon, hasThread };
}

/** Logs what becomes of the limit, and looks at the machine for it unless a nanny does. */
function followLimit(resolved: ResolvedWorker, logger: Logger): Cancellable | undefined {
  const { config, limit, limitReading: first, nannyId } = resolved;
  limit.onChanged((limitBytes) =>
    logger.info(
      { event: 'memory.limit-changed', limitBytes },
      `the memory limit is ${formatBytes(limitBytes)} now`,
    ),
  );
  if (nannyId !== undefined) return undefined;
  logLimitWarning(first, logger);
  return followOwnLimit({ config, first, limit, timers: systemTimers, logger });
}

/** Beside what was asked for, what V8 says the main isolate's heap may come to: it cannot be set from within. */
const memoryFields = ({ limitBytes, limitReading, heapCaps }: ResolvedWorker): LogFields => ({
  limitBytes,
  decidedBy: limitReading.machine.decidedBy,
  ...heapCaps,
  mainHeapMaxBytes: getHeapStatistics().heap_size_limit,
});
