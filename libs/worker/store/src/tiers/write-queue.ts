/**
 * Values that wait to be written, and how many of them are with the disk at a time. What the disk is given is little
 * enough for a read not to wait long behind it, and enough for it never to stand idle.
 */
import type { TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import { SMALL_BYTES_MAX, WRITE_BYTES_MAX, WRITE_COUNT_MAX } from '../disk/spill-disk.js';
import { Fifo } from '../thread/fifo.js';

/** Nothing more is handed over while so much is with the disk. */
const CREDIT_BYTES = 64 * 1024 * 1024;
const CREDIT_BATCHES = 4;

export interface PendingWrite {
  readonly key: TaskKey;
  readonly payload: Payload;
  state: 'queued' | 'under-way' | 'done';
}

export class WriteQueue<Write extends PendingWrite> {
  readonly #queued = new Fifo<Write>();
  #underWayBytes = 0;
  #underWayBatches = 0;

  add(write: Write): void {
    this.#queued.push(write);
  }

  /** It need not be written any more. Does nothing once it is with the disk. */
  cancel(write: Write): void {
    if (write.state === 'queued') write.state = 'done';
  }

  /** The next values to hand over, many small ones or a larger one; none while the disk has enough. */
  takeBatch(): readonly Write[] {
    const batch: Write[] = [];
    if (this.#underWayBatches >= CREDIT_BATCHES || this.#underWayBytes >= CREDIT_BYTES) return batch;
    let bytes = 0;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const isFull = batch.length === WRITE_COUNT_MAX || bytes + bytesOf(next) > WRITE_BYTES_MAX;
      if (batch.length > 0 && (isFull || bytesOf(next) > SMALL_BYTES_MAX)) break;
      this.#queued.shift();
      next.state = 'under-way';
      bytes += bytesOf(next);
      batch.push(next);
      if (bytesOf(next) > SMALL_BYTES_MAX) break;
    }
    if (batch.length > 0) this.#underWayBatches++;
    this.#underWayBytes += bytes;
    return batch;
  }

  /** The disk is done with a batch, however it ended. */
  finish(batch: readonly Write[]): void {
    this.#underWayBatches--;
    for (const write of batch) {
      write.state = 'done';
      this.#underWayBytes -= bytesOf(write);
    }
  }

  /** All that is not with the disk yet; nothing of it is queued any more. */
  takeQueued(): Write[] {
    const taken: Write[] = [];
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.cancel(next);
      taken.push(next);
    }
    return taken;
  }

  /** The first that has not been cancelled. */
  #next(): Write | undefined {
    while (this.#queued.peek()?.state === 'done') this.#queued.shift();
    return this.#queued.peek();
  }
}

const bytesOf = ({ payload }: PendingWrite): number => payload.data.byteLength;
