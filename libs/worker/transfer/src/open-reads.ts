/**
 * Spilled values that the transfer thread reads now, by the number of its request. Each is released exactly once: when
 * the thread says so, or when there is no thread any more.
 */
import type { SpilledRead, ValueSource } from '@spillway/ports';
import type { SpilledValue, UnreadableReason } from './thread-protocol.js';

export class OpenReads {
  readonly #reads = new Map<number, SpilledRead>();
  #isClosed = false;

  constructor(private readonly source: Pick<ValueSource, 'reportUnreadable'>) {}

  /** Returns what the thread needs of it. */
  open(id: number, read: SpilledRead): SpilledValue {
    if (this.#isClosed) read.release();
    else this.#reads.set(id, read);
    const { key, encoding, path, offset, recordBytes, rawBytes } = read;
    return { id, key, encoding, path, offset, recordBytes, rawBytes };
  }

  reportUnreadable(id: number, reason: UnreadableReason): void {
    const read = this.#reads.get(id);
    if (read !== undefined) this.source.reportUnreadable(read, reason);
  }

  release(id: number): void {
    this.#reads.get(id)?.release();
    this.#reads.delete(id);
  }

  /** Releases everything, and at once what is opened from now on. */
  close(): void {
    this.#isClosed = true;
    for (const id of [...this.#reads.keys()]) this.release(id);
  }
}
