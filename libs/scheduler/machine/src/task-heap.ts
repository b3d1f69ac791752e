import { Heap } from 'heap-js';
import { comparePriority, type QueuedState, type SchedulerTask } from './task.js';

const COMPACT_AT_LEAST = 64;

/**
 * Queued tasks by priority. Tasks mostly come in the order in which they are to go (a graph is queued front to back), so
 * those that do stand in a plain list; the others in a heap beside it. Tasks are not taken out when they leave the state
 * `queued` (they may stand in two of these): such entries are dropped when their turn comes, or when they have come to be
 * half of what is kept.
 */
export class TaskHeap {
  /** In order of priority, from `#runStart` on. */
  #run: SchedulerTask[] = [];
  #runStart = 0;
  #heap = newHeap([]);
  #compactAt = COMPACT_AT_LEAST;

  /** `belongs`: whether a queued task that stands in it is to be found here, now. */
  constructor(private readonly belongs: (state: QueuedState) => boolean = () => true) {}

  push(task: SchedulerTask): void {
    const last = this.#run.at(-1);
    if (last === undefined || comparePriority(last, task) <= 0) this.#run.push(task);
    else this.#heap.add(task);
    if (this.#run.length + this.#heap.heapArray.length > this.#compactAt) this.#compact();
  }

  /** The task to go first. It stays until its state changes. */
  peek(): SchedulerTask | undefined {
    const fromRun = this.#peekRun();
    const fromHeap = this.#peekHeap();
    if (fromRun === undefined || fromHeap === undefined) return fromRun ?? fromHeap;
    return comparePriority(fromRun, fromHeap) <= 0 ? fromRun : fromHeap;
  }

  /** All tasks that belong here, each once; in no order of meaning. */
  live(): Set<SchedulerTask> {
    const live = new Set<SchedulerTask>();
    for (let index = this.#runStart; index < this.#run.length; index += 1) {
      const task = this.#run[index]!;
      if (this.#isLive(task)) live.add(task);
    }
    for (const task of this.#heap.heapArray) if (this.#isLive(task)) live.add(task);
    return live;
  }

  clear(): void {
    this.#run = [];
    this.#runStart = 0;
    this.#heap = newHeap([]);
    this.#compactAt = COMPACT_AT_LEAST;
  }

  #peekRun(): SchedulerTask | undefined {
    for (; this.#runStart < this.#run.length; this.#runStart += 1) {
      const task = this.#run[this.#runStart]!;
      if (this.#isLive(task)) return task;
    }
    if (this.#run.length > 0) this.#run = [];
    this.#runStart = 0;
    return undefined;
  }

  #peekHeap(): SchedulerTask | undefined {
    for (;;) {
      const top = this.#heap.peek();
      if (top === undefined || this.#isLive(top)) return top;
      this.#heap.pop();
    }
  }

  #compact(): void {
    this.#run = this.#run.slice(this.#runStart).filter((task) => this.#isLive(task));
    this.#runStart = 0;
    const inHeap = this.#heap.heapArray;
    if (inHeap.length > 0) this.#heap = newHeap(inHeap.filter((task) => this.#isLive(task)));
    this.#compactAt = Math.max(COMPACT_AT_LEAST, 2 * (this.#run.length + this.#heap.heapArray.length));
  }

  #isLive({ state }: SchedulerTask): boolean {
    return state.name === 'queued' && this.belongs(state);
  }
}

function newHeap(tasks: SchedulerTask[]): Heap<SchedulerTask> {
  const heap = new Heap<SchedulerTask>(comparePriority);
  heap.init(tasks);
  return heap;
}
