interface ClockLike {
  nowMs(): number;
}
interface TimersLike {
  after(delayMs: number, call: () => void): { cancel(): void };
  soon(call: () => void): void;
}

/**
 * Calls back when a machine's `nextWakeMs` has come: what every runtime keeps beside its machine. At most one timer is
 * armed, and only when the moment changes.
 */
export class WakeTimer {
  #armedForMs: number | undefined;
  #armed: { cancel(): void } | undefined;

  constructor(
    private readonly clock: ClockLike,
    private readonly timers: TimersLike,
    private readonly wake: () => void,
  ) {}

  arm(nextWakeMs: number | undefined): void {
    if (nextWakeMs === this.#armedForMs) return;
    this.cancel();
    if (nextWakeMs === undefined) return;
    this.#armedForMs = nextWakeMs;
    const delayMs = nextWakeMs - this.clock.nowMs();
    // Work that goes on in slices lets this turn's I/O through first.
    if (delayMs <= 0) this.timers.soon(() => this.#fire(nextWakeMs));
    else this.#armed = this.timers.after(delayMs, () => this.#fire(nextWakeMs));
  }

  cancel(): void {
    this.#armed?.cancel();
    this.#armed = undefined;
    this.#armedForMs = undefined;
  }

  #fire(forMs: number): void {
    if (this.#armedForMs !== forMs) return;
    this.#armedForMs = undefined;
    this.#armed = undefined;
    this.wake();
  }
}
