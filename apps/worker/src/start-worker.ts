import { createLogger } from '@spillway/telemetry';
import type { WorkerId } from '@spillway/kernel';
import { contactAddressOf, systemTimers } from '@spillway/platform';
import { GrowthWatch } from '@spillway/worker-memory';
import { monitorGrowth } from '@spillway/worker-runtime';
import { TransferThread } from '@spillway/worker-transfer';
import { composeWorker } from './compose-worker.js';
import { resolveWorker, type WorkerOptions, type WorkerOrigin } from './worker-options.js';

export interface WorkerEnd {
  /** `recycle`: the worker wants a fresh one in its place. `lost`: the scheduler is gone. */
  readonly how: 'recycle' | 'closed' | 'lost';
  readonly reason: string;
}

export interface RunningWorker {
  readonly workerId: WorkerId;
  readonly name: string;
  /** `host:port` of the data service. */
  readonly address: string;
  /** Resolves when the worker cannot or must not go on; `close` is then still to be called. */
  readonly ended: Promise<WorkerEnd>;
  close(reason: string): Promise<void>;
}

/** Between pause (0.80) and terminate (0.95): a task that drives the process there is ended before the process is. */
const RUNAWAY_FRACTION = 0.9;
const GUILTY_FRACTION = 0.25;

/** Starts a worker in this process. Settings come from files and the environment, then from `options`. */
export async function startWorker(
  schedulerAddress: string,
  options: WorkerOptions = {},
  origin: WorkerOrigin = {},
): Promise<RunningWorker> {
  const resolved = await resolveWorker(schedulerAddress, options, origin);
  const { config, workerId, name, limitBytes, programs } = resolved;
  const logger = createLogger({ service: 'worker', instance: name, level: config.log.level });
  if (origin.nannyId === undefined)
    logger.warn(
      { event: 'worker.no-nanny' },
      'this worker runs without a nanny: nobody ends it when its memory runs away, and nobody restarts it',
    );
  let end!: (how: WorkerEnd) => void;
  const ended = new Promise<WorkerEnd>((resolve) => (end = resolve));
  const worker = composeWorker(resolved, logger, (how, reason) => end({ how, reason }));
  const transfers = await TransferThread.start({
    entry: programs.transferThread,
    listenAddress: `${config.worker.host}:${config.worker.port}`,
    source: worker.runtime,
    servingMax: config.worker.connections.incoming,
    logger,
    onEnded: (error) => end({ how: 'recycle', reason: error.message }),
  });
  const address = contactAddressOf(transfers.address, config.worker.contactAddress);
  const monitor = monitorGrowth({
    runtime: worker.runtime,
    watch: new GrowthWatch({
      limitBytes,
      runawayFraction: RUNAWAY_FRACTION,
      guiltyFraction: GUILTY_FRACTION,
    }),
    timers: systemTimers,
    intervalMs: config.worker.memory.monitorInterval,
    limitBytes,
    processBytes: () => process.memoryUsage.rss(),
    busyWith: () => worker.machine.slotHeads(),
  });
  const close = async (reason: string): Promise<void> => {
    logger.info({ event: 'worker.closing', reason }, 'worker closing');
    monitor.cancel();
    await worker.close(reason);
    await transfers.close();
    logger.info({ event: 'worker.closed' }, 'worker closed');
  };
  try {
    await worker.register(transfers, address);
  } catch (error) {
    await close('The worker could not register.');
    throw error;
  }
  logger.info(
    { event: 'worker.ready', address, scheduler: schedulerAddress, limitBytes },
    'worker registered',
  );
  return { workerId, name, address, ended, close };
}
