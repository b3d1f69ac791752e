/**
 * In what order a container is asked to set and delete: of one key one after the other, as they came; of different keys
 * so many at a time. What waits is bounded by those who ask: bytes to be set are managed bytes, and a deletion is a key.
 */
import type { TaskKey } from '@spillway/kernel';
import { Fifo } from '../thread/fifo.js';

interface Operation {
  readonly key: TaskKey;
  /** Never rejects. */
  readonly perform: () => Promise<void>;
  readonly ended: () => void;
}

export class OperationQueue {
  readonly #ready = new Fifo<Operation>();
  /** Keys that are in `#ready` or under way, with what has to wait for that. */
  readonly #behind = new Map<TaskKey, Fifo<Operation>>();
  #runningCount = 0;
  #idleWaiters: (() => void)[] = [];

  constructor(private readonly concurrencyMax: number) {}

  /** Requires: `perform` never rejects. Resolves when it has ended. */
  run(key: TaskKey, perform: () => Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const operation = { key, perform, ended: resolve };
      const behind = this.#behind.get(key);
      if (behind === undefined) {
        this.#behind.set(key, new Fifo());
        this.#ready.push(operation);
        this.#pump();
      } else behind.push(operation);
    });
  }

  /** Resolves once there is nothing left to do. */
  idle(): Promise<void> {
    if (this.#behind.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  #pump(): void {
    while (this.#runningCount < this.concurrencyMax) {
      const operation = this.#ready.shift();
      if (operation === undefined) return;
      this.#runningCount++;
      void this.#perform(operation);
    }
  }

  async #perform({ key, perform, ended }: Operation): Promise<void> {
    await perform();
    this.#runningCount--;
    const next = this.#behind.get(key)?.shift();
    if (next === undefined) this.#behind.delete(key);
    else this.#ready.push(next);
    ended();
    this.#pump();
    if (this.#behind.size > 0) return;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }
}
