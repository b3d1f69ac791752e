/**
 * Queued tasks, and which of them a worker with room takes. Three kinds of heap: tasks that may start anywhere, tasks
 * whose inputs lie on some worker, and each worker's own. A task with inputs stands in the second kind and in the heap of
 * its home; one that may run on certain workers only stands in the heaps of those. How a home is chosen is in
 * `placement.ts`.
 */
import { startsEarlierOn, type PlacementPolicy } from './placement.js';
import { TaskHeap } from './task-heap.js';
import { compareLevel, comparePriority, type SchedulerTask } from './task.js';
import type { WorkerView } from './worker-view.js';

export class Queues {
  readonly #anywhere = new TaskHeap();
  readonly #homed = new TaskHeap();

  /** Requires: the task is queued. `allowed`: the only workers it may run on. */
  push(task: SchedulerTask, home: WorkerView | undefined, allowed: readonly WorkerView[] | undefined): void {
    if (allowed !== undefined) {
      for (const worker of allowed) worker.ownQueue.push(task);
    } else if (home === undefined) {
      this.#anywhere.push(task);
    } else {
      this.#homed.push(task);
      home.ownQueue.push(task);
    }
  }

  /**
   * What the worker takes next: of its own and the others' top, the one of better user priority and submission; at a
   * tie its own, because that moves no data and frees memory before roots make more. A task at home elsewhere is worth
   * taking only if it would start earlier here.
   */
  nextFor(worker: WorkerView, policy: PlacementPolicy): SchedulerTask | undefined {
    const own = worker.ownQueue.peek();
    const other = this.#topFor(worker, policy);
    if (own === undefined || other === undefined) return own ?? other;
    return compareLevel(own, other) <= 0 ? own : other;
  }

  /** Whether something queued goes before this task on this worker. `atHome`: the task's inputs lie there. */
  outranks(task: SchedulerTask, worker: WorkerView, atHome: boolean, policy: PlacementPolicy): boolean {
    const own = worker.ownQueue.peek();
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
    return worker.ownQueue.peek() !== undefined || this.#anywhere.peek() !== undefined;
  }

  /** Every queued task that any worker may take. */
  unrestricted(): SchedulerTask[] {
    return [...this.#anywhere.live(), ...this.#homed.live()];
  }

  #topFor(worker: WorkerView, policy: PlacementPolicy): SchedulerTask | undefined {
    const anywhere = this.#anywhere.peek();
    let homed = this.#homed.peek();
    if (homed?.state.name === 'queued') {
      const { home } = homed.state;
      if (home !== undefined && home !== worker && !startsEarlierOn(worker, homed, home, policy))
        homed = undefined;
    }
    if (anywhere === undefined || homed === undefined) return anywhere ?? homed;
    return comparePriority(anywhere, homed) < 0 ? anywhere : homed;
  }
}
