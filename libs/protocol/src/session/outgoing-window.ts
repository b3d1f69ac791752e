import { InvalidArgumentError } from '@spillway/kernel';

interface Numbered<Out> {
  readonly seq: number;
  readonly bytes: number;
  readonly batch: Out;
}

/**
 * The batches of one direction that the other side has not acknowledged, oldest first, and how far they were written
 * on the present connection. Invariant: `acked ≤ written ≤ last`, and it holds exactly `acked + 1 … last`.
 */
export class OutgoingWindow<Out> {
  #batches: (Numbered<Out> | undefined)[] = [];
  /** Index of the oldest that is still needed: shifting an array for each acknowledgement would cost. */
  #head = 0;
  #acked = 0;
  #written = 0;
  #last = 0;
  #bytes = 0;

  get count(): number {
    return this.#last - this.#acked;
  }
  get bytes(): number {
    return this.#bytes;
  }
  get last(): number {
    return this.#last;
  }
  get hasUnwritten(): boolean {
    return this.#written < this.#last;
  }

  add(batch: Out, bytes: number): void {
    this.#last += 1;
    this.#bytes += bytes;
    this.#batches.push({ seq: this.#last, bytes, batch });
  }

  /** The next to write, and takes it for written. */
  take(): { readonly seq: number; readonly batch: Out } | undefined {
    if (!this.hasUnwritten) return undefined;
    const next = this.#batches[this.#head + this.#written - this.#acked];
    this.#written += 1;
    return next;
  }

  /** Forgets what has arrived. An old acknowledgement changes nothing; one of what was never sent is refused. */
  acknowledge(seq: number): void {
    if (seq > this.#last) {
      throw new InvalidArgumentError(
        `The other side acknowledged batch ${seq}, but the last one sent was ${this.#last}.`,
      );
    }
    while (this.#acked < seq) {
      this.#bytes -= this.#batches[this.#head]?.bytes ?? 0;
      this.#batches[this.#head] = undefined;
      this.#head += 1;
      this.#acked += 1;
    }
    this.#written = Math.max(this.#written, this.#acked);
    if (this.#head > 64 && this.#head * 2 > this.#batches.length) {
      this.#batches = this.#batches.slice(this.#head);
      this.#head = 0;
    }
  }

  /** On a new connection: the other side has everything up to `seq`, the rest is written again. */
  rewind(seq: number): void {
    if (seq < this.#acked) {
      throw new InvalidArgumentError(
        `The other side says it has batches up to ${seq}, but it acknowledged ${this.#acked} before.`,
      );
    }
    this.acknowledge(seq);
    this.#written = this.#acked;
  }
}
