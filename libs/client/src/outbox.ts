/**
 * Keeps what the client says in the order in which it was called, although some of it takes time to prepare (large
 * arguments, many tasks, modules). Steps run one after the other; a step settles its own failures.
 */
export class Outbox {
  #tail: Promise<void> = Promise.resolve();

  /** Runs after all steps added before. Requires: the step does not reject. */
  add(step: () => Promise<void> | void): void {
    this.#tail = this.#tail.then(step);
  }

  /** Resolves when everything added until now has run. */
  drained(): Promise<void> {
    return this.#tail;
  }
}
