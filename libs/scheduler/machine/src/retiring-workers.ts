/** The workers that are retiring now, the copies that are under way for them, and what is to be looked at again. */
import { CopyOrders } from './copy-orders.js';
import { smallValues } from './small-set.js';
import type { SchedulerTask } from './task.js';
import type { WorkerView } from './worker-view.js';

export interface Retirement {
  readonly worker: WorkerView;
  readonly reason: string;
  readonly startedAtMs: number;
  deadlineAtMs: number;
  readonly mayLeave: boolean;
  /** Nothing is copied: its successor has all of it. */
  readonly leavesAll: boolean;
  readonly waitsForRoom: boolean;
  /** Results to copy, the costliest last. Some may have been copied, or freed, since. */
  queue: SchedulerTask[];
  /** Results for which no worker had room, the costliest first. */
  setAside: SchedulerTask[];
  copiedCount: number;
  copiedBytes: number;
  /** It has been told that nobody has room. */
  isBlockedTold: boolean;
}

export class RetiringWorkers {
  readonly orders = new CopyOrders();
  readonly #byWorker = new Map<WorkerView, Retirement>();
  /** Results that have come, or of which a copy was lost: they may have to be copied (again). */
  #changed: SchedulerTask[] = [];
  /** There may be room where there was none. */
  mayHaveRoom = false;
  /** Some orders may be void. */
  mayBeVoid = false;

  get isEmpty(): boolean {
    return this.#byWorker.size === 0;
  }

  get(worker: WorkerView): Retirement | undefined {
    return this.#byWorker.get(worker);
  }

  /** In the order in which they began. */
  all(): Iterable<Retirement> {
    return this.#byWorker.values();
  }

  add(retirement: Retirement): void {
    this.#byWorker.set(retirement.worker, retirement);
    for (const task of retirement.worker.hasWhat) this.#changed.push(task);
    // What is on its way to it will not arrive.
    this.mayBeVoid = true;
  }

  remove(worker: WorkerView): void {
    this.#byWorker.delete(worker);
    this.mayBeVoid = true;
  }

  /** Its copies have changed, or it has just come into memory. Cheap while nobody retires. */
  note(task: SchedulerTask): void {
    if (this.#byWorker.size > 0) this.#changed.push(task);
  }

  takeChanged(): readonly SchedulerTask[] {
    const changed = this.#changed;
    if (changed.length > 0) this.#changed = [];
    return changed;
  }
}

/** Whether a worker that stays has the result. What is not in memory is in no danger. */
export function isSafe({ state }: SchedulerTask): boolean {
  if (state.name !== 'memory') return true;
  for (const worker of smallValues(state.whoHas)) if (worker.status !== 'retiring') return true;
  return false;
}
