/** Deaths whose verdict is the scheduler's own: a nanny that is heard again may know better. */
import type { WorkerId } from '@spillway/kernel';
import type { Verdict } from '@spillway/messages';
import type { Death } from './task.js';

/** The oldest makes room. Nannies that come back do so within their grace. */
const DEATHS_MAX = 1000;

export class UnexplainedDeaths {
  readonly #byWorker = new Map<WorkerId, Death>();

  add(death: Death): void {
    this.#byWorker.set(death.workerId, death);
    if (this.#byWorker.size <= DEATHS_MAX) return;
    for (const oldest of this.#byWorker.keys()) {
      this.#byWorker.delete(oldest);
      return;
    }
  }

  /** Its nanny has spoken: tasks that were charged with this death have the better verdict from now on. */
  explain(workerId: WorkerId, verdict: Verdict): void {
    const death = this.#byWorker.get(workerId);
    this.#byWorker.delete(workerId);
    if (death !== undefined) death.verdict = verdict;
  }
}
