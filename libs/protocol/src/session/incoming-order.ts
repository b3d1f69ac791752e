import { InvalidArgumentError } from '@spillway/kernel';

/** So many batches are acknowledged at the latest … */
const ACK_BATCHES_MAX = 256;
/** … or after so long, if nothing is said in the other direction that carries the acknowledgement along. */
const ACK_DELAY_MS = 100;

/** The other direction: which batch is the next, and when an acknowledgement is due. */
export class IncomingOrder {
  #received = 0;
  #unacknowledged = 0;
  #ackDueAtMs = Infinity;

  /** Highest number received. */
  get received(): number {
    return this.#received;
  }
  /** When an acknowledgement has to go out by itself; `Infinity` when none is owed. */
  get ackDueAtMs(): number {
    return this.#ackDueAtMs;
  }

  /** True for the next batch, false for one that was here already. A gap is the other side's mistake. */
  accept(seq: number, nowMs: number): boolean {
    if (seq > this.#received + 1) {
      throw new InvalidArgumentError(`Batch ${seq} came where ${this.#received + 1} was expected.`);
    }
    const isNew = seq === this.#received + 1;
    if (isNew) this.#received = seq;
    this.#unacknowledged += 1;
    const dueAtMs = this.#unacknowledged >= ACK_BATCHES_MAX ? nowMs : nowMs + ACK_DELAY_MS;
    this.#ackDueAtMs = Math.min(this.#ackDueAtMs, dueAtMs);
    return isNew;
  }

  /** What to acknowledge now; nothing is owed after it. */
  takeAck(): number {
    this.#unacknowledged = 0;
    this.#ackDueAtMs = Infinity;
    return this.#received;
  }
}
