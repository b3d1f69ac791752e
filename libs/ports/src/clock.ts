/** Milliseconds since the epoch, never going back while the process lives. The only source of time for runtimes. */
export interface Clock {
  nowMs(): number;
}

/** Handle of something that will happen, or goes on happening. Disposing twice is harmless. */
export interface Cancellable {
  cancel(): void;
}

export interface Timers {
  /** Calls once, after at least `delayMs`. */
  after(delayMs: number, call: () => void): Cancellable;
  /** Calls again and again; a call never overlaps itself. */
  every(intervalMs: number, call: () => void): Cancellable;
  /** Calls once this turn's I/O events are handled: what a batch is flushed by (hotpath.md: never a timer). */
  soon(call: () => void): void;
}
