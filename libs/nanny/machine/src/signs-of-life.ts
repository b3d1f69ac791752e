/**
 * Follows whether the control loop of one worker still turns: it gives a sign to its nanny with each heartbeat. Tasks cannot hold
 * it up, they run in threads of their own; what can is a stopped process, a machine that swaps, or code in a container of the
 * user's. Time in which the nanny did not run either is nobody's silence. Not: who is killed how (nanny-machine.ts).
 */
export class SignsOfLife {
  #lastMs: number;

  /** `ttlMs`: how long it may be silent; `false`: as long as it likes. */
  constructor(
    private readonly ttlMs: number | false,
    nowMs: number,
  ) {
    this.#lastMs = nowMs;
  }

  /** When its silence will have lasted too long; `Infinity` for never. */
  get deadlineMs(): number {
    return this.ttlMs === false ? Infinity : this.#lastMs + this.ttlMs;
  }

  onSign(nowMs: number): void {
    this.#lastMs = nowMs;
  }

  /** For so long the nanny did not run: machine or container were suspended, or it was stopped as well. */
  discount(absentMs: number): void {
    this.#lastMs += absentMs;
  }

  silentMs(nowMs: number): number {
    return Math.max(0, nowMs - this.#lastMs);
  }
}
