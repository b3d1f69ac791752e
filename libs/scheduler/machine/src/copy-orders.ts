/**
 * Copies that workers were told to fetch and have not reported yet. Each is in the books of its target until its target says
 * that it has it, so that no worker has more coming than it can take; only what was reported counts as a copy (ADR 0023).
 */
import type { SchedulerTask } from './task.js';
import type { WorkerView } from './worker-view.js';

export interface CopyOrder {
  /** Whose values are brought to safety. */
  readonly source: WorkerView;
  readonly target: WorkerView;
  readonly nbytes: number;
}

export class CopyOrders {
  readonly #byTask = new Map<SchedulerTask, CopyOrder>();
  readonly #countBySource = new Map<WorkerView, number>();

  get(task: SchedulerTask): CopyOrder | undefined {
    return this.#byTask.get(task);
  }

  all(): Iterable<[SchedulerTask, CopyOrder]> {
    return this.#byTask;
  }

  /** How many copies of this worker's values are on their way. */
  countFrom(source: WorkerView): number {
    return this.#countBySource.get(source) ?? 0;
  }

  /** Requires: there is no order for the task. */
  add(task: SchedulerTask, order: CopyOrder): void {
    this.#byTask.set(task, order);
    this.#account(order, 1);
  }

  remove(task: SchedulerTask): CopyOrder | undefined {
    const order = this.#byTask.get(task);
    if (order === undefined) return undefined;
    this.#byTask.delete(task);
    this.#account(order, -1);
    return order;
  }

  #account({ source, target, nbytes }: CopyOrder, sign: 1 | -1): void {
    target.incomingCount += sign;
    target.incomingBytes += sign * nbytes;
    const count = this.countFrom(source) + sign;
    if (count === 0) this.#countBySource.delete(source);
    else this.#countBySource.set(source, count);
  }
}
