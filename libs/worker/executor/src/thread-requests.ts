/** What a thread was asked and has not answered. Every request is settled, by its answer or by the end of the thread. */

export interface ThreadRequest {
  readonly id: number;
  readonly done: Promise<void>;
}

export class ThreadRequests {
  readonly #open = new Map<number, () => void>();
  #nextId = 0;
  #hasEnded = false;

  open(): ThreadRequest {
    const id = this.#nextId++;
    if (this.#hasEnded) return { id, done: Promise.resolve() };
    const done = new Promise<void>((resolve) => this.#open.set(id, resolve));
    return { id, done };
  }

  /** An answer that comes twice is heard once. */
  settle(id: number): void {
    const resolve = this.#open.get(id);
    this.#open.delete(id);
    resolve?.();
  }

  /** The thread is gone: whatever it was asked for its memory is no longer needed. */
  end(): void {
    this.#hasEnded = true;
    for (const id of [...this.#open.keys()]) this.settle(id);
  }
}
