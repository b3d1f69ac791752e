/**
 * Runs that may start: those that free memory first, then best priority first, first come first among equals. Runs that stopped being ready stay in the
 * heap until they come up (removing from the middle of a heap is linear) or outnumber the others.
 */
import { Heap } from 'heap-js';
import { comparePriority, type Run, type WorkerTask } from './task.js';

const STALE_COUNT_MIN = 64;

export class ReadyQueue {
  readonly #heap = new Heap<Run>(
    (a, b) =>
      Number(b.message.evenIfPaused ?? false) - Number(a.message.evenIfPaused ?? false) ||
      comparePriority(a.message.priority, b.message.priority) ||
      a.order - b.order,
  );

  /** Entries in the heap, stale ones included. */
  get entryCount(): number {
    return this.#heap.length;
  }

  /** `ready`: all tasks in that state, the new one included. */
  push(run: Run, ready: ReadonlySet<WorkerTask>): void {
    this.#heap.push(run);
    if (this.#heap.length > STALE_COUNT_MIN + 2 * ready.size) this.#dropStale();
  }

  peek(): Run | undefined {
    let top = this.#heap.peek();
    while (top !== undefined && !isStartable(top)) {
      this.#heap.pop();
      top = this.#heap.peek();
    }
    return top;
  }

  /** Takes what `peek` showed. */
  pop(): void {
    this.#heap.pop();
  }

  #dropStale(): void {
    this.#heap.init([...new Set(this.#heap.toArray().filter(isStartable))]);
  }
}

function isStartable(run: Run): boolean {
  const { state, lingering } = run.task;
  return state.name === 'ready' && state.run === run && lingering === undefined;
}
