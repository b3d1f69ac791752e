/**
 * Values that somebody put here and that the scheduler may not have heard of: whoever puts a value announces it, and dies
 * before that now and then. Each is announced from here too, later, so that the scheduler has it freed if nobody wants it.
 * Invariant: only keys in memory are here, each once.
 */
import type { TaskKey } from '@spillway/kernel';

export class PutAnnouncements {
  /** When each came, in this order, so the first is the first to be announced. */
  readonly #putAtMs = new Map<TaskKey, number>();

  constructor(private readonly delayMs: number) {}

  add(key: TaskKey, nowMs: number): void {
    this.#putAtMs.set(key, nowMs);
  }

  /** The value is gone. */
  remove(key: TaskKey): void {
    this.#putAtMs.delete(key);
  }

  /** All of them are told in another way: a new session begins with everything in memory. */
  clear(): void {
    this.#putAtMs.clear();
  }

  get nextDueMs(): number | undefined {
    for (const putAtMs of this.#putAtMs.values()) return putAtMs + this.delayMs;
    return undefined;
  }

  /** Those to be announced now; they are forgotten here. */
  takeDue(nowMs: number): TaskKey[] {
    const due: TaskKey[] = [];
    for (const [key, putAtMs] of this.#putAtMs) {
      if (putAtMs + this.delayMs > nowMs) break;
      due.push(key);
      this.#putAtMs.delete(key);
    }
    return due;
  }

  keys(): Iterable<TaskKey> {
    return this.#putAtMs.keys();
  }
}
