import type { SpillwayError } from '@spillway/kernel';
import type { LinkListener, Timers } from '@spillway/ports';

/**
 * Holds back what arrives until the code that awaits the link has it: a promise's continuation runs later in the turn
 * in which it was resolved, and the first batch may come in that same turn.
 */
export class ListenerGate<In> implements Required<LinkListener<In>> {
  #held: (() => void)[] = [];
  #state: 'shut' | 'opening' | 'open' = 'shut';

  constructor(
    private readonly listener: LinkListener<In>,
    private readonly timers: Timers,
  ) {}

  open(): void {
    if (this.#state !== 'shut') return;
    this.#state = 'opening';
    this.timers.soon(() => {
      this.#state = 'open';
      const held = this.#held;
      this.#held = [];
      for (const call of held) call();
    });
  }

  onMessages(messages: readonly In[]): void {
    if (this.#state === 'open') this.listener.onMessages(messages);
    else this.#held.push(() => this.listener.onMessages(messages));
  }
  onDisconnected(reason: string): void {
    this.#pass(() => this.listener.onDisconnected?.(reason));
  }
  onResumed(): void {
    this.#pass(() => this.listener.onResumed?.());
  }
  /** False when the session ended before it began: the listener never hears of it. */
  onEnded(error: SpillwayError | undefined): boolean {
    if (this.#state === 'shut') return false;
    this.#pass(() => this.listener.onEnded(error));
    return true;
  }

  #pass(call: () => void): void {
    if (this.#state === 'open') call();
    else if (this.#state === 'opening') this.#held.push(call);
  }
}
