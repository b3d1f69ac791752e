/**
 * Tasks in `fetch` that have no holder: which the scheduler has yet to be asked about, and which it was asked about when.
 * Invariant: exactly the tasks in `fetch` without holders are here, each once.
 */
import type { WorkerTask } from './task.js';

export class WhoHasRequests {
  readonly #unasked = new Set<WorkerTask>();
  /** In order of asking, so the first is the first to be asked again. */
  readonly #askedAtMs = new Map<WorkerTask, number>();

  constructor(private readonly retryMs: number) {}

  get size(): number {
    return this.#unasked.size + this.#askedAtMs.size;
  }

  has(task: WorkerTask): boolean {
    return this.#unasked.has(task) || this.#askedAtMs.has(task);
  }

  add(task: WorkerTask): void {
    if (!this.#askedAtMs.has(task)) this.#unasked.add(task);
  }

  remove(task: WorkerTask): void {
    this.#unasked.delete(task);
    this.#askedAtMs.delete(task);
  }

  /** The scheduler knows of none (yet): ask again after the whole wait. */
  putOff(task: WorkerTask, nowMs: number): void {
    this.remove(task);
    this.#askedAtMs.set(task, nowMs);
  }

  /** When to ask again; at once for what was never asked. */
  get nextAskMs(): number | undefined {
    if (this.#unasked.size > 0) return 0;
    for (const askedAtMs of this.#askedAtMs.values()) return askedAtMs + this.retryMs;
    return undefined;
  }

  /** Those to ask about now; they count as asked. */
  takeDue(nowMs: number): WorkerTask[] {
    const due = [...this.#unasked];
    for (const [task, askedAtMs] of this.#askedAtMs) {
      if (askedAtMs + this.retryMs > nowMs) break;
      due.push(task);
    }
    for (const task of due) this.putOff(task, nowMs);
    return due;
  }

  all(): Iterable<WorkerTask> {
    return new Set([...this.#unasked, ...this.#askedAtMs.keys()]);
  }
}
