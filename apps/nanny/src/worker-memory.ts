/** What one worker of a nanny may use by default: of a machine, or of the container that it shares with the nanny. */
import { totalmem } from 'node:os';
import type { SpillwayConfig } from '@spillway/config';
import { resolveMemoryLimit, thisMachine, type Machine } from '@spillway/platform';

/**
 * Kept for what else a nanny's container runs: the nanny itself (62 MB when idle) and, every few seconds, a health
 * check (60 MB).
 */
const CONTAINER_RESERVE_BYTES = 128 * 2 ** 20;

/** The limit of each worker in bytes, worked out once for all workers of the nanny (conventions C04). */
export function workerLimitOf(
  { worker, nanny }: Pick<SpillwayConfig, 'worker' | 'nanny'>,
  machine: Machine = thisMachine(),
  physicalBytes: number = totalmem(),
): number | false {
  const workers = { nthreads: worker.nthreads, workerCount: nanny.workers };
  const { limit } = worker.memory;
  const isContainer = machine.totalBytes < physicalBytes;
  if (!isContainer || limit.kind !== 'auto') return resolveMemoryLimit(limit, workers, machine);
  return resolveMemoryLimit(limit, workers, {
    totalBytes: Math.max(machine.totalBytes - CONTAINER_RESERVE_BYTES, machine.totalBytes / 2),
    // The memory of a container is its own, however many cores the machine around it has.
    cores: Math.min(machine.cores, worker.nthreads * nanny.workers),
  });
}
