import type { WorkerView } from './worker-view.js';

/** Levels a slot is divided into: fine enough to tell workers apart, few enough to look through. */
const LEVELS_PER_SLOT = 4;
const LEVEL_MAX = 30;

/**
 * Running workers by how loaded they are (assigned tasks per thread, and a little more under memory pressure), so that the
 * least loaded are found without looking at all of them. Workers of one level are in an order that repeats for the same
 * events, and means nothing.
 */
export class LoadIndex {
  readonly #levels: WorkerView[][] = Array.from({ length: LEVEL_MAX + 1 }, () => []);
  #size = 0;

  /** How many workers are running. */
  get size(): number {
    return this.#size;
  }

  /** Puts the worker where it belongs now: nowhere unless it is running. */
  update(worker: WorkerView): void {
    const level = worker.status === 'running' ? levelOf(worker) : -1;
    if (level === worker.level) return;
    this.remove(worker);
    if (level < 0) return;
    const peers = this.#levels[level]!;
    this.#size += 1;
    worker.level = level;
    worker.levelIndex = peers.push(worker) - 1;
  }

  remove(worker: WorkerView): void {
    if (worker.level < 0) return;
    const peers = this.#levels[worker.level]!;
    const last = peers.pop()!;
    this.#size -= 1;
    if (last !== worker) {
      peers[worker.levelIndex] = last;
      last.levelIndex = worker.levelIndex;
    }
    worker.level = -1;
    worker.levelIndex = -1;
  }

  /** Up to `countMax` of the least loaded running workers. */
  leastLoaded(countMax: number): WorkerView[] {
    const found: WorkerView[] = [];
    for (const peers of this.#levels) {
      for (const worker of peers) {
        if (found.length === countMax) return found;
        found.push(worker);
      }
    }
    return found;
  }
}

function levelOf(worker: WorkerView): number {
  const { isUnderPressure, nthreads } = worker;
  const assignedCount = worker.processing.size;
  const level = Math.floor((LEVELS_PER_SLOT * assignedCount) / nthreads);
  if (assignedCount >= nthreads) return Math.min(LEVEL_MAX, level + 1 + Number(isUnderPressure));
  if (!isUnderPressure) return level;
  // With nothing to do it is behind its equals. With something to do it puts roots off, so it must not hide those that have
  // a free slot for them; it has one for others, so it must not be hidden by those that are full.
  return assignedCount === 0 ? 1 : LEVELS_PER_SLOT;
}
