import type { LogFields, Logger } from '@spillway/ports';

/** Writes nothing, and counts: which events a run has seen says what it is worth. */
export class SimLog {
  readonly #counts = new Map<string, number>();
  readonly logger: Logger = {
    debug: (fields) => this.#count(fields),
    info: (fields) => this.#count(fields),
    warn: (fields) => this.#count(fields),
    error: (fields) => this.#count(fields),
    child: () => this.logger,
  };

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  #count({ event }: LogFields): void {
    if (typeof event === 'string') this.#counts.set(event, (this.#counts.get(event) ?? 0) + 1);
  }
}
