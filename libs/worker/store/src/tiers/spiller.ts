/**
 * Gets values written to disk: queues them, hands over as much as the disk may have at a time, and tells those who wait.
 * What may not be written (the limit is reached, the disk has just failed) is refused without being tried.
 */
import type { NotEvictedReason, SpillFailureReason } from '@spillway/ports';
import type { Payload } from '@spillway/messages';
import { recordBytesMax } from '../disk/record.js';
import type { RecordPosition, SpillDisk } from '../disk/spill-disk.js';
import type { EvictTally } from './evict-tally.js';
import type { HeldValue } from './held-values.js';
import type { SpillTrouble } from './spill-trouble.js';
import { WriteQueue, type PendingWrite } from './write-queue.js';

export interface SpillerOptions {
  readonly disk: Pick<SpillDisk, 'write'>;
  readonly trouble: SpillTrouble;
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
  readonly refused: readonly (readonly [Write, SpillFailureReason])[];
  /** Most that the files can grow by. */
  readonly reservedBytes: number;
}

export class Spiller {
  readonly #queue = new WriteQueue<Write>();
  readonly #writes = new Map<HeldValue, Write>();
  #reservedBytes = 0;
  #isClosed = false;

  constructor(private readonly options: SpillerOptions) {}

  get pendingBytes(): number {
    return this.#queue.pendingBytes;
  }

  get isWriting(): boolean {
    return this.#queue.isBusy || this.#queue.pendingBytes > 0;
  }

  /** All who ask for the same value share the write. Requires: `pump` afterwards. */
  spill(held: HeldValue, payload: Payload, nowMs: number, asker: EvictTally): void {
    const underWay = this.#writes.get(held);
    if (underWay !== undefined) {
      (underWay.others ??= []).push(asker);
      return;
    }
    const refusal = this.#isClosed ? 'closed' : this.options.trouble.refusal(nowMs);
    if (refusal !== undefined) {
      this.options.trouble.remind(nowMs);
      this.options.onEnded(held, refusal, asker);
      return;
    }
    const write: Write = { key: held.key, payload, nowMs, held, asker, others: undefined, state: 'queued' };
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
    for (const write of this.#queue.takeQueued()) this.#end(write, 'closed');
  }

  async #writeBatch(batch: readonly Write[]): Promise<void> {
    const { accepted, refused, reservedBytes } = this.#admit(batch);
    this.#reservedBytes += reservedBytes;
    const results = await this.options.disk.write(accepted);
    this.#reservedBytes -= reservedBytes;
    this.#queue.finish(batch);
    for (const [write, reason] of refused) this.#end(write, reason);
    accepted.forEach((write, index) => {
      const result = results[index];
      if (result?.ok === true) this.#written(write, result.position);
      else this.#failed(write, result?.reason ?? 'io-error', result?.message ?? 'there was no answer');
    });
    this.options.onBatchEnded();
    this.pump();
  }

  /** What may be written as things are now: much may have happened since it was queued. */
  #admit(batch: readonly Write[]): Admitted {
    const { trouble, maxSpillBytes, fileBytes, onLimitReached } = this.options;
    const accepted: Write[] = [];
    const refused: (readonly [Write, SpillFailureReason])[] = [];
    const takenBytes = fileBytes() + this.#reservedBytes;
    let reservedBytes = 0;
    for (const write of batch) {
      const recordBytes = recordBytesMax(write.key, write.payload.data.byteLength);
      const isOver = maxSpillBytes !== false && takenBytes + reservedBytes + recordBytes > maxSpillBytes;
      if (isOver) {
        trouble.failed({ reason: 'limit-reached', message: `${fileBytes()} bytes are taken` }, write.nowMs);
        onLimitReached();
      }
      const refusal = isOver ? 'limit-reached' : trouble.refusal(write.nowMs);
      if (refusal === undefined) {
        reservedBytes += recordBytes;
        accepted.push(write);
      } else refused.push([write, refusal]);
    }
    return { accepted, refused, reservedBytes };
  }

  #written(write: Write, position: RecordPosition): void {
    this.options.trouble.succeeded();
    this.options.onWritten(write.held, position);
    this.#end(write, undefined);
  }

  #failed(write: Write, reason: SpillFailureReason, message: string): void {
    this.options.trouble.failed({ reason, message }, write.nowMs);
    this.#end(write, reason);
  }

  #end(write: Write, failure: NotEvictedReason | undefined): void {
    this.#writes.delete(write.held);
    this.options.onEnded(write.held, failure, write.asker);
    for (const asker of write.others ?? []) this.options.onEnded(write.held, failure, asker);
  }
}
