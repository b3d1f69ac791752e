import { Heap } from 'heap-js';
import { comparePriority, type SchedulerTask } from './task.js';

const COMPACT_AT_LEAST = 64;

/**
 * Queued tasks by priority. Tasks are not taken out when they leave the state `queued` (they may stand in two heaps):
 * such entries are dropped when they reach the top, or when they have come to be half of a growing heap.
 */
export class TaskHeap {
  #heap = new Heap<SchedulerTask>(comparePriority);
  #compactAt = COMPACT_AT_LEAST;

  push(task: SchedulerTask): void {
    this.#heap.add(task);
    if (this.#heap.heapArray.length > this.#compactAt) this.#compact();
  }

  /** The task to go first. It stays until its state changes. */
  peek(): SchedulerTask | undefined {
    for (;;) {
      const top = this.#heap.peek();
      if (top === undefined || top.state.name === 'queued') return top;
      this.#heap.pop();
    }
  }

  /** All tasks in it that are still queued, each once, in no order of meaning. */
  live(): Set<SchedulerTask> {
    const live = new Set<SchedulerTask>();
    for (const task of this.#heap.heapArray) if (task.state.name === 'queued') live.add(task);
    return live;
  }

  clear(): void {
    this.#heap = new Heap<SchedulerTask>(comparePriority);
    this.#compactAt = COMPACT_AT_LEAST;
  }

  #compact(): void {
    const live = [...this.live()];
    this.#heap = new Heap<SchedulerTask>(comparePriority);
    this.#heap.init(live);
    this.#compactAt = Math.max(COMPACT_AT_LEAST, 2 * live.length);
  }
}
