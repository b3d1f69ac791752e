/** What the setting `worker.memory.limit` comes to for one worker (`docs/memory-limit.md`). */
import { assertNever } from '@spillway/kernel';
import type { Machine } from './machine.js';

/** The memory limit as it was written; the forms of the setting `worker.memory.limit`. */
export type WrittenMemoryLimit =
  | { readonly kind: 'auto' }
  | { readonly kind: 'fraction'; readonly fraction: number }
  | { readonly kind: 'bytes'; readonly bytes: number }
  | { readonly kind: 'off' };

/** Who shares the memory of the machine. */
export interface Sharing extends Omit<Machine, 'decidedBy'> {
  /** How many workers there are beside each other, this one included. */
  readonly workers: number;
  /** Of each worker. */
  readonly nthreads: number;
  /** Kept by `auto` for the nanny and what else runs beside the workers; at most half of what there is. */
  readonly nannyReserveBytes: number;
}

/** What the operator should hear of. */
export type LimitWarning =
  /** More was written than there is. */
  | { readonly kind: 'clamped'; readonly writtenBytes: number; readonly totalBytes: number }
  /** Each worker's limit is possible, all of them at once are not. */
  | { readonly kind: 'overcommitted'; readonly sumBytes: number; readonly totalBytes: number };

export interface ResolvedMemoryLimit {
  /** Of each worker. */
  readonly limitBytes: number | false;
  readonly warning?: LimitWarning;
}

/**
 * `auto` is (total − reserve) ÷ workers × min(1, workers × nthreads ÷ cores), the last factor 1 under a limit of a control
 * group: all workers together never get more than there is.
 */
export function resolveMemoryLimit(written: WrittenMemoryLimit, sharing: Sharing): ResolvedMemoryLimit {
  switch (written.kind) {
    case 'off':
      return { limitBytes: false };
    case 'auto':
      return { limitBytes: atLeastOne(autoBytes(sharing)) };
    case 'fraction':
      return warned(atLeastOne(sharing.totalBytes * written.fraction), sharing);
    case 'bytes':
      return warned(written.bytes, sharing);
    default:
      return assertNever(written, 'memory limit');
  }
}

function autoBytes(sharing: Sharing): number {
  const { totalBytes, workers, nthreads, cores, isCgroupLimited, nannyReserveBytes } = sharing;
  const freeBytes = Math.max(totalBytes - nannyReserveBytes, totalBytes / 2);
  const part = isCgroupLimited ? 1 : Math.min(1, (workers * nthreads) / cores);
  return (freeBytes / workers) * part;
}

/** A share so small that no byte is left is no reason to have no limit. */
const atLeastOne = (bytes: number): number => Math.max(1, Math.floor(bytes));

function warned(writtenBytes: number, { totalBytes, workers }: Sharing): ResolvedMemoryLimit {
  if (writtenBytes > totalBytes)
    return { limitBytes: totalBytes, warning: { kind: 'clamped', writtenBytes, totalBytes } };
  const sumBytes = writtenBytes * workers;
  if (sumBytes > totalBytes)
    return { limitBytes: writtenBytes, warning: { kind: 'overcommitted', sumBytes, totalBytes } };
  return { limitBytes: writtenBytes };
}
