/** Gives back the disk space of freed values: deletes segments nothing in which is wanted, and compacts sparse ones. */
import type { RecordPosition, SpillDisk } from '../disk/spill-disk.js';
import { LiveRecord } from './live-record.js';
import type { SegmentTable } from './segment-table.js';

/** Copied at a time; reads are served in between. */
const STEP_BYTES = 16 * 1024 * 1024;

export interface CompactorOptions {
  readonly disk: Pick<SpillDisk, 'copy' | 'sealSegment' | 'deleteSegment'>;
  readonly table: SegmentTable;
  /** Values are being written: room is made later, unless there is more rubbish than data. */
  readonly isWriting: () => boolean;
  /** The record's bytes are at `position` now. Returns false when nobody wants them any more. */
  readonly onMoved: (record: LiveRecord, position: RecordPosition) => boolean;
}

export class Compactor {
  #copying: Promise<void> | undefined;

  constructor(private readonly options: CompactorOptions) {}

  /** Does what there is to do. Call whenever records were removed or writes have ended. */
  tidy(): void {
    this.#deleteEmpty();
    const { table, isWriting } = this.options;
    if (isWriting() && table.deadBytes <= table.liveBytes) return;
    this.#start(() => table.toCompact(STEP_BYTES));
  }

  /** There is no room left: compacts wherever anything can be gained. */
  squeeze(): void {
    this.#start(() => this.options.table.toSqueeze(STEP_BYTES));
  }

  /** Resolves once nothing is being copied. */
  async settled(): Promise<void> {
    while (this.#copying !== undefined) await this.#copying;
  }

  #deleteEmpty(): void {
    const { disk, table, isWriting } = this.options;
    const segments = table.takeEmpty(isWriting() || this.#copying !== undefined);
    for (const segment of segments) disk.deleteSegment(segment);
  }

  #start(choose: () => readonly LiveRecord[]): void {
    if (this.#copying !== undefined) return;
    const records = choose();
    const segment = records[0]?.segment;
    if (segment === undefined) return;
    // Copies must not end up behind what they are copied from.
    if (this.options.table.seal(segment)) this.options.disk.sealSegment(segment);
    this.#copying = this.#copy(records).then((hasMoved) => {
      this.#copying = undefined;
      if (hasMoved) this.tidy();
      else this.#deleteEmpty();
    });
  }

  /** False when nothing could be moved: then it is not tried again until more has died. */
  async #copy(records: readonly LiveRecord[]): Promise<boolean> {
    const { disk, table, onMoved } = this.options;
    const copies = await disk.copy(records.map((record) => record.position));
    records.forEach((record, index) => {
      const copy = copies[index];
      if (copy?.ok !== true || onMoved(record, copy.position)) return;
      const unwanted = new LiveRecord(record.key, copy.position);
      table.add(unwanted);
      table.remove(unwanted);
    });
    const hasFailed = copies.some((copy) => !copy.ok);
    const [first] = records;
    if (hasFailed && first !== undefined) table.giveUpCompacting(first.segment);
    return !hasFailed;
  }
}
