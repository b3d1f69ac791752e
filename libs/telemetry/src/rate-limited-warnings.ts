/** Warnings that would repeat with every sample: one per name and interval, with the number that were held back. */
import type { LogFields, Logger } from '@spillway/ports';

interface Written {
  readonly atMs: number;
  heldBackCount: number;
}

/** Names kept; beyond that the oldest is forgotten, and may be written once more than its interval allows. */
const NAMES_MAX = 1000;

export class RateLimitedWarnings {
  readonly #written = new Map<string, Written>();

  constructor(
    private readonly logger: Logger,
    private readonly intervalMs: number,
  ) {}

  /** Writes the warning, unless one of that name was written less than an interval ago. */
  warn(name: string, fields: LogFields, message: string, nowMs: number): void {
    const last = this.#written.get(name);
    if (last !== undefined && nowMs - last.atMs < this.intervalMs) {
      last.heldBackCount++;
      return;
    }
    this.#remember(name, nowMs);
    const heldBackCount = last?.heldBackCount ?? 0;
    this.logger.warn(heldBackCount === 0 ? fields : { ...fields, heldBackCount }, message);
  }

  #remember(name: string, nowMs: number): void {
    this.#written.delete(name);
    if (this.#written.size >= NAMES_MAX) {
      for (const oldest of this.#written.keys()) {
        this.#written.delete(oldest);
        break;
      }
    }
    this.#written.set(name, { atMs: nowMs, heldBackCount: 0 });
  }
}
