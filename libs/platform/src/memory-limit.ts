import { availableParallelism, totalmem } from 'node:os';

/** The memory limit as it was written; the forms of the setting `worker.memory.limit`. */
export type WrittenMemoryLimit =
  | { readonly kind: 'auto' }
  | { readonly kind: 'fraction'; readonly fraction: number }
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'off' };

export interface Machine {
  readonly totalBytes: number;
  readonly cores: number;
}

/** What this process may use: the machine, or the container it is in. */
export function thisMachine(): Machine {
  const physicalBytes = totalmem();
  // Without a limit Node reports about 1.8e19, not nothing (users-pains.md section 24, item 5).
  const constrainedBytes = process.constrainedMemory();
  const isLimited = constrainedBytes > 0 && constrainedBytes < physicalBytes;
  return { totalBytes: isLimited ? constrainedBytes : physicalBytes, cores: availableParallelism() };
}

/**
 * The limit of one worker in bytes (`../reference/worker-memory.rst`): `auto` is total × min(1, nthreads ÷ cores), and
 * never more than an equal share among the workers of one nanny.
 */
export function resolveMemoryLimit(
  written: WrittenMemoryLimit,
  worker: { readonly nthreads: number; readonly workerCount: number },
  machine: Machine = thisMachine(),
): number | false {
  switch (written.kind) {
    case 'off':
      return false;
    case 'bytes':
      return Math.min(written.bytes, machine.totalBytes);
    case 'fraction':
      return Math.floor(machine.totalBytes * written.fraction);
    case 'auto': {
      const share = Math.min(1 / worker.workerCount, worker.nthreads / machine.cores, 1);
      return Math.floor(machine.totalBytes * share);
    }
  }
}
