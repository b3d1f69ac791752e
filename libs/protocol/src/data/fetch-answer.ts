/**
 * What one fetch has brought so far. Steps must come in the order of the keys asked for; anything else is taken for a
 * broken peer, never for a value.
 */
import { InvalidArgumentError, type TaskKey } from '@spillway/kernel';
import type { ArrivedValue } from '@spillway/ports';
import { IncomingValue } from './incoming-value.js';
import type { FetchStep, ValueStart } from './wire.js';

/** A key to fetch. `nbytes`: the size it is expected to have, when that is known. */
export interface WantedValue {
  readonly key: TaskKey;
  readonly nbytes?: number | undefined;
}

/**
 * A key may be recomputed to another size than its old one, so an announced size is believed well beyond the expected
 * one; beyond this it is nonsense, and would be memory reserved for nothing.
 */
const sizeBytesMaxFor = (nbytes: number | undefined): number =>
  nbytes === undefined ? Number.MAX_SAFE_INTEGER : nbytes * 4 + 16 * 1024 * 1024;

export class FetchAnswer {
  /** Whole values, in the order asked. */
  readonly values: ArrivedValue[] = [];
  readonly missing: TaskKey[] = [];
  #arriving: IncomingValue | undefined;

  constructor(private readonly wanted: readonly WantedValue[]) {}

  get isComplete(): boolean {
    return this.#answeredCount === this.wanted.length;
  }

  /** Throws `InvalidArgumentError` or `LimitExceededError` for a step that cannot come here. */
  take(step: FetchStep): void {
    if (step.start) this.#begin(step.start);
    else if (step.chunk) this.#append(step.chunk);
    else if (step.missing) this.missing.push(this.#next(step.missing.key ?? '').key);
    else throw new InvalidArgumentError('The peer sent a step that this version does not know.');
  }

  /** Throws `InvalidArgumentError` when the peer ended before all keys were answered. */
  checkComplete(): void {
    this.#arriving?.finish();
    if (this.isComplete) return;
    throw new InvalidArgumentError(
      `The peer answered ${this.#answeredCount} of ${this.wanted.length} keys and ended.`,
    );
  }

  get #answeredCount(): number {
    return this.values.length + this.missing.length;
  }

  #begin(start: ValueStart): void {
    const { nbytes } = this.#next(start.key ?? '');
    this.#arriving = new IncomingValue(start, sizeBytesMaxFor(nbytes));
    this.#finishIfComplete(this.#arriving);
  }

  #append(chunk: Uint8Array): void {
    if (this.#arriving === undefined)
      throw new InvalidArgumentError('The peer sent bytes that belong to no value.');
    this.#arriving.take(chunk);
    this.#finishIfComplete(this.#arriving);
  }

  #finishIfComplete(value: IncomingValue): void {
    if (!value.isComplete) return;
    this.values.push(value.finish());
    this.#arriving = undefined;
  }

  /** The key whose turn it is. */
  #next(key: string): WantedValue {
    this.#arriving?.finish();
    const wanted = this.wanted[this.#answeredCount];
    if (wanted?.key === key) return wanted;
    throw new InvalidArgumentError(
      `The peer answered key ${JSON.stringify(key.slice(0, 100))} where ${wanted?.key ?? 'nothing more'} was expected.`,
    );
  }
}
