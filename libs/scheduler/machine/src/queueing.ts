/**
 * Queued tasks, and which of them a worker with room takes. Four kinds of heap: roots that may start anywhere, tasks with
 * inputs that may, tasks whose inputs lie on some worker, and each worker's own, of roots and of others. A task with inputs
 * stands in the third kind and in the heap of its home; one that may run on certain workers only, or is confined to those
 * that are large enough, stands in the heaps of those. How a home is chosen is in `placement.ts`.
 */
import { startsEarlierOn, type PlacementPolicy } from './placement.js';
import { TaskHeap } from './task-heap.js';
import { compareLevel, comparePriority, type QueuedState, type SchedulerTask } from './task.js';
import type { WorkerView } from './worker-view.js';

/** Not one that has been confined since it was put where anyone finds it. */
const isForAnyone = ({ isConfined }: QueuedState): boolean => !isConfined;

export class Queues {
  readonly #roots = new TaskHeap();
  readonly #anywhere = new TaskHeap(isForAnyone);
  readonly #homed = new TaskHeap(isForAnyone);

  /** Requires: the task is queued. `allowed`: the only workers it may run on. */
  push(task: SchedulerTask, home: WorkerView | undefined, allowed: readonly WorkerView[] | undefined): void {
    if (allowed !== undefined) {
      for (const worker of allowed) (task.isRoot ? worker.ownRoots : worker.ownQueue).push(task);
    } else if (home === undefined) {
      (task.isRoot ? this.#roots : this.#anywhere).push(task);
    } else {
      this.#homed.push(task);
      home.ownQueue.push(task);
    }
  }

  /**
   * What the worker takes next: of its own and the others' top, the one of better user priority and submission; at a
   * tie its own, because that moves no data and frees memory before roots make more. A task at home elsewhere is worth
   * taking only if it would start earlier here. Under memory pressure it takes tasks with inputs before roots of whatever
   * priority, and a root only when it has nothing to do.
   */
  nextFor(worker: WorkerView, policy: PlacementPolicy): SchedulerTask | undefined {
    const next = preferOwn(this.#ownTop(worker), this.#topFor(worker, policy));
    if (next !== undefined || !worker.isUnderPressure || worker.processing.size > 0) return next;
    return preferOwn(worker.ownRoots.peek(), this.#roots.peek());
  }

  /** Whether something queued goes before this task on this worker. `atHome`: the task's inputs lie there. */
  outranks(task: SchedulerTask, worker: WorkerView, atHome: boolean, policy: PlacementPolicy): boolean {
    const own = this.#ownTop(worker);
    if (own !== undefined && comparePriority(own, task) < 0) return true;
    const other = this.#topFor(worker, policy);
    if (other === undefined) return false;
    return (atHome ? compareLevel(other, task) : comparePriority(other, task)) < 0;
  }

  /** Whether any task waits for the worker that has its inputs. */
  hasHomed(): boolean {
    return this.#homed.peek() !== undefined;
  }

  /** Whether there is a task that the worker must take if it has a free slot. */
  hasWorkFor(worker: WorkerView): boolean {
    if (worker.ownQueue.peek() !== undefined || this.#anywhere.peek() !== undefined) return true;
    if (worker.isUnderPressure && worker.processing.size > 0) return false;
    return worker.ownRoots.peek() !== undefined || this.#roots.peek() !== undefined;
  }

  /** Every queued task that any worker may take. */
  unrestricted(): SchedulerTask[] {
    return [...this.#roots.live(), ...this.#anywhere.live(), ...this.#homed.live()];
  }

  #ownTop(worker: WorkerView): SchedulerTask | undefined {
    const own = worker.ownQueue.peek();
    return worker.isUnderPressure ? own : preferUrgent(own, worker.ownRoots.peek());
  }

  #topFor(worker: WorkerView, policy: PlacementPolicy): SchedulerTask | undefined {
    let homed = this.#homed.peek();
    if (homed?.state.name === 'queued') {
      const { home } = homed.state;
      if (home !== undefined && home !== worker && !startsEarlierOn(worker, homed, home, policy))
        homed = undefined;
    }
    const withInputs = preferUrgent(this.#anywhere.peek(), homed);
    return worker.isUnderPressure ? withInputs : preferUrgent(this.#roots.peek(), withInputs);
  }
}

function preferUrgent(
  first: SchedulerTask | undefined,
  second: SchedulerTask | undefined,
): SchedulerTask | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return comparePriority(first, second) < 0 ? first : second;
}

function preferOwn(
  own: SchedulerTask | undefined,
  other: SchedulerTask | undefined,
): SchedulerTask | undefined {
  if (own === undefined || other === undefined) return own ?? other;
  return compareLevel(own, other) <= 0 ? own : other;
}
