import type { Journal } from '@spillway/ports';

interface Held {
  readonly send: () => void;
  isDue: boolean;
}

/**
 * Holds back what is binding until it is written down, and behind it whatever else is said to the same one, so that
 * everybody hears things in order.
 */
export class HeldMessages {
  readonly #queues = new Map<string, Held[]>();

  /** Without a journal nothing is held back. */
  constructor(private readonly journal: Journal | undefined) {}

  /** `to`: who is told. */
  send(to: string, isBinding: boolean, send: () => void): void {
    const queue = this.#queues.get(to);
    if (this.journal === undefined || (!isBinding && queue === undefined)) {
      send();
      return;
    }
    const held = { send, isDue: !isBinding };
    if (queue === undefined) this.#queues.set(to, [held]);
    else queue.push(held);
    if (isBinding)
      this.journal.afterwards(() => {
        held.isDue = true;
        this.#flush(to);
      });
  }

  #flush(to: string): void {
    const queue = this.#queues.get(to);
    if (queue === undefined) return;
    while (queue[0]?.isDue === true) queue.shift()?.send();
    if (queue.length === 0) this.#queues.delete(to);
  }
}
