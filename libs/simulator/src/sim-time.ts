import { Heap } from 'heap-js';
import type { Cancellable, Clock, Timers } from '@spillway/ports';

interface Action {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/**
 * Time of the simulated world: a queue of things that will happen. Nothing happens between them, and nothing happens at
 * all unless somebody asked for it here, so that a run depends on its seed alone.
 */
export class SimTime implements Clock {
  readonly #actions = new Heap<Action>((a, b) => a.atMs - b.atMs || a.order - b.order);
  #nowMs = 0;
  #order = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  at(atMs: number, run: () => void): Cancellable {
    const action: Action = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, run };
    this.#actions.push(action);
    return { cancel: () => (action.run = undefined) };
  }

  after(delayMs: number, run: () => void): Cancellable {
    return this.at(this.#nowMs + delayMs, run);
  }

  /** Runs the next action; false when there is none up to `untilMs`. */
  step(untilMs: number): boolean {
    for (;;) {
      const next = this.#actions.peek();
      if (next === undefined || next.atMs > untilMs) return false;
      this.#actions.pop();
      if (next.run === undefined) continue;
      this.#nowMs = next.atMs;
      next.run();
      return true;
    }
  }

  /** Timers of one simulated process; `stop` silences them all, as the death of the process does. */
  timersOfProcess(): ProcessTimers {
    return new ProcessTimers(this);
  }
}

export class ProcessTimers implements Timers {
  #stopped = false;

  constructor(private readonly time: SimTime) {}

  after(delayMs: number, call: () => void): Cancellable {
    return this.time.after(delayMs, () => this.#call(call));
  }

  every(intervalMs: number, call: () => void): Cancellable {
    let isCancelled = false;
    const next = (): Cancellable =>
      this.after(intervalMs, () => {
        if (isCancelled) return;
        call();
        next();
      });
    next();
    return { cancel: () => (isCancelled = true) };
  }

  soon(call: () => void): void {
    this.after(0, call);
  }

  stop(): void {
    this.#stopped = true;
  }

  #call(call: () => void): void {
    if (!this.#stopped) call();
  }
}
