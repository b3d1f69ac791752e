/**
 * Gets values written to disk: queues them, hands over as much as the disk may have at a time, and tells those who wait.
 * What does not fit below the limit is refused value by value, without being tried; when the disk fails, so is all that
 * is queued. When to ask again is decided elsewhere.
 */
import type { Payload, SpillFailureReason } from '@spillway/messages';
import type { NotEvictedReason } from '@spillway/ports';
import { recordBytesMax } from '../disk/record.js';
import type { RecordPosition, SpillDisk, SpillFailure, Written } from '../disk/spill-disk.js';
import type { EvictTally } from './evict-tally.js';
import type { HeldValue } from './held-values.js';
import { WriteQueue, type PendingWrite } from './write-queue.js';

export interface SpillerOptions {
  readonly disk: Pick<SpillDisk, 'write'>;
  readonly maxSpillBytes: number | false;
  /** Bytes of all files now, freed records included. */
  readonly fileBytes: () => number;
  readonly onWritten: (held: HeldValue, position: RecordPosition) => void;
  /** After `onWritten`, once for each who asked; `undefined`: it is on disk. */
  readonly onEnded: (held: HeldValue, failure: NotEvictedReason | undefined, asker: EvictTally) => void;
  readonly onLimitReached: () => void;
  /** A batch has ended, and all who waited for it know. */
  readonly onBatchEnded: () => void;
}

/** One value on its way to disk, and who waits for that. */
interface Write extends PendingWrite {
  readonly held: HeldValue;
  readonly asker: EvictTally;
  /** Those who asked for the same later. Rarely any: an array for each of many small values would cost. */
  others: EvictTally[] | undefined;
}

interface Admitted {
  readonly accepted: readonly Write[];
  /** Each of these would exceed the limit. */
  readonly refused: readonly Write[];
  /** Most that the files can grow by. */
  readonly reservedBytes: number;
}

const NO_ANSWER: Written = { ok: false, reason: 'io-error', message: 'There was no answer.' };

export class Spiller {
  readonly #queue = new WriteQueue<Write>();
  readonly #writes = new Map<HeldValue, Write>();
  #reservedBytes = 0;
  #isClosed = false;
  #lastFailure: SpillFailure | undefined;

  constructor(private readonly options: SpillerOptions) {}

  /** What the disk said when it last failed; another object each time. */
  get lastFailure(): SpillFailure | undefined {
    return this.#lastFailure;
  }

  get isWriting(): boolean {
    return this.#writes.size > 0;
  }

  /** All who ask for the same value share the write. Requires: `pump` afterwards. */
  spill(held: HeldValue, payload: Payload, asker: EvictTally): void {
    const underWay = this.#writes.get(held);
    if (underWay !== undefined) {
      (underWay.others ??= []).push(asker);
      return;
    }
    if (this.#isClosed) {
      this.options.onEnded(held, 'closed', asker);
      return;
    }
    const write: Write = { key: held.key, payload, held, asker, others: undefined, state: 'queued' };
    this.#writes.set(held, write);
    this.#queue.add(write);
  }

  /** The value was freed: it need not be written, if that has not begun. */
  cancel(held: HeldValue): void {
    const write = this.#writes.get(held);
    if (write?.state !== 'queued') return;
    this.#queue.cancel(write);
    this.#end(write, 'not-held');
  }

  /** Hands over what the disk may have now. */
  pump(): void {
    for (let batch = this.#queue.takeBatch(); batch.length > 0; batch = this.#queue.takeBatch())
      void this.#writeBatch(batch);
  }

  /** Gives up what is queued, and takes nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#giveUpQueued('closed');
  }

  async #writeBatch(batch: readonly Write[]): Promise<void> {
    const { accepted, refused, reservedBytes } = this.#admit(batch);
    this.#reservedBytes += reservedBytes;
    const results = await this.options.disk.write(accepted);
    this.#reservedBytes -= reservedBytes;
    this.#queue.finish(batch);
    for (const write of refused) this.#end(write, 'limit-reached');
    let failure: SpillFailure | undefined;
    accepted.forEach((write, index) => {
      const result = results[index] ?? NO_ANSWER;
      if (result.ok) this.options.onWritten(write.held, result.position);
      else failure ??= result;
      this.#end(write, result.ok ? undefined : result.reason);
    });
    if (failure !== undefined) this.#diskFailed(failure);
    this.options.onBatchEnded();
    this.pump();
  }

  /** Trying each of those that wait in vain would take time, and tell nothing new. */
  #diskFailed({ reason, message }: SpillFailure): void {
    this.#lastFailure = { reason, message };
    this.#giveUpQueued(reason);
  }

  #giveUpQueued(reason: SpillFailureReason): void {
    for (const write of this.#queue.takeQueued()) this.#end(write, reason);
  }

  /** What may be written as things are now: much may have happened since it was queued. */
  #admit(batch: readonly Write[]): Admitted {
    const { maxSpillBytes, fileBytes, onLimitReached } = this.options;
    const accepted: Write[] = [];
    const refused: Write[] = [];
    const takenBytes = fileBytes() + this.#reservedBytes;
    let reservedBytes = 0;
    for (const write of batch) {
      const recordBytes = recordBytesMax(write.key, write.payload.data.byteLength);
      if (maxSpillBytes !== false && takenBytes + reservedBytes + recordBytes > maxSpillBytes) {
        refused.push(write);
        continue;
      }
      reservedBytes += recordBytes;
      accepted.push(write);
    }
    if (refused.length > 0) onLimitReached();
    return { accepted, refused, reservedBytes };
  }

  #end(write: Write, failure: NotEvictedReason | undefined): void {
    this.#writes.delete(write.held);
    this.options.onEnded(write.held, failure, write.asker);
    for (const asker of write.others ?? []) this.options.onEnded(write.held, failure, asker);
  }
}
