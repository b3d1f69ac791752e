/**
 * A disk in memory whose every step the test takes itself: what is asked of it waits until then. It keeps the order of
 * the real one (notes of the dead first, then reads, everything else in the order asked), and like it reuses nothing of a
 * deleted segment.
 */
import type { TaskKey } from '@spillway/kernel';
import type { Payload, SpillFailureReason } from '@spillway/messages';
import type { SpillCounters } from '@spillway/ports';
import type {
  ReadBack,
  ReadFailureReason,
  RecordPlaces,
  RecordPosition,
  SpillDisk,
  ValueToWrite,
  Written,
} from '../disk/spill-disk.js';
import { recordBytesMax } from '../disk/record.js';
import type { FoundInFolder, FoundValue } from '../disk/scan-folder.js';
import { Tally } from '../disk/tally.js';

interface Job {
  perform(failure: SpillFailureReason | undefined): void;
}

export interface FakeDiskOptions {
  /** Default 1000. */
  readonly segmentBytes?: number;
  /** Larger records have a segment of their own. Default a quarter of a segment. */
  readonly aloneBytes?: number;
}

type Records = ReadonlyMap<number, { key: TaskKey; payload: Payload }>;

const placeName = (segment: number, offset: number): string => `${segment}:${offset}`;

const bytesOf = (records: Records): number =>
  [...records.values()].reduce(
    (sum, { key, payload }) => sum + recordBytesMax(key, payload.data.byteLength),
    0,
  );

export class FakeDisk implements SpillDisk {
  readonly counters: SpillCounters = new Tally().read();
  /** Records of segments that exist, by segment and offset. */
  readonly segments = new Map<number, Map<number, { key: TaskKey; payload: Payload }>>();
  /** Bytes that were given to the disk to write. */
  writtenBytes = 0;
  readCount = 0;
  isClosed = false;
  /** Noted as such, as `segment:offset`. */
  readonly dead = new Set<string>();
  readonly #marks: Job[] = [];
  readonly #reads: Job[] = [];
  readonly #ordered: Job[] = [];
  readonly #bad = new Map<string, ReadFailureReason>();
  #current: { segment: number; sizeBytes: number } | undefined;
  #nextSegment = 1;

  constructor(private readonly options: FakeDiskOptions = {}) {}

  get waitingCount(): number {
    return this.#marks.length + this.#reads.length + this.#ordered.length;
  }

  /** Bytes of all segments, freed records included. */
  get fileBytes(): number {
    return [...this.segments.values()].reduce((sum, records) => sum + bytesOf(records), 0);
  }

  get isAskedToWrite(): boolean {
    return this.#ordered.length > 0;
  }

  /** Does the next thing that was asked; false when there is none. */
  step(failure?: SpillFailureReason): boolean {
    const job = this.#marks.shift() ?? this.#reads.shift() ?? this.#ordered.shift();
    job?.perform(failure);
    return job !== undefined;
  }

  /** Reads of this record fail from now on. */
  spoil({ segment, offset }: { segment: number; offset: number }, reason: ReadFailureReason): void {
    this.#bad.set(placeName(segment, offset), reason);
  }

  write(values: readonly ValueToWrite[]): Promise<readonly Written[]> {
    return new Promise((resolve) => {
      this.#ordered.push({
        perform: (failure) =>
          resolve(
            values.map((value) =>
              failure === undefined
                ? { ok: true, position: this.#append(value) }
                : { ok: false, reason: failure, message: 'as the test wished' },
            ),
          ),
      });
    });
  }

  read(_key: TaskKey, position: RecordPosition): Promise<ReadBack> {
    return new Promise((resolve) => {
      this.#reads.push({ perform: () => resolve(this.#readBack(position)) });
    });
  }

  copy(positions: readonly RecordPosition[]): Promise<readonly Written[]> {
    return new Promise((resolve) => {
      this.#ordered.push({
        perform: (failure) => resolve(positions.map((position) => this.#copyOne(position, failure))),
      });
    });
  }

  markDead(records: readonly RecordPlaces[]): Promise<boolean> {
    return new Promise((resolve) => {
      this.#marks.push({
        perform: (failure) => {
          if (failure === undefined)
            for (const { segment, offsets } of records)
              for (const offset of offsets) this.dead.add(placeName(segment, offset));
          resolve(failure === undefined);
        },
      });
    });
  }

  sealSegment(segment: number): void {
    this.#ordered.push({
      perform: () => {
        if (this.#current?.segment === segment) this.#current = undefined;
      },
    });
  }

  deleteSegment(segment: number): void {
    this.#ordered.push({
      perform: () => {
        this.segments.delete(segment);
        if (this.#current?.segment === segment) this.#current = undefined;
      },
    });
  }

  /** What whoever adopts these files would find now: what was asked and not done is lost with whoever asked. */
  found(): FoundInFolder {
    const values = new Map<TaskKey, FoundValue>();
    const surplus: { segment: number; offset: number }[] = [];
    for (const [segment, records] of this.segments)
      for (const [offset, { key, payload }] of records) {
        if (this.dead.has(placeName(segment, offset))) continue;
        const older = values.get(key);
        if (older !== undefined) surplus.push(older.position);
        const rawBytes = payload.data.byteLength;
        const recordBytes = recordBytesMax(key, rawBytes);
        const position = { segment, offset, recordBytes, codec: 'none', isAlone: false } as const;
        values.set(key, { key, encoding: payload.encoding, rawBytes, position });
      }
    const segments = Array.from(this.segments, ([segment, records]) => ({
      segment,
      fileBytes: bytesOf(records),
    }));
    return { segments, values: [...values.values()], surplus };
  }

  /** The process that asked has died: nothing that waits is done, and the next one begins a segment of its own. */
  abandon(): void {
    for (const jobs of [this.#marks, this.#reads, this.#ordered]) jobs.length = 0;
    this.#current = undefined;
  }

  pathOf(segment: number): string {
    return `fake/${segment}`;
  }

  close(): Promise<void> {
    this.isClosed = true;
    while (this.step());
    return Promise.resolve();
  }

  #copyOne(position: RecordPosition, failure: SpillFailureReason | undefined): Written {
    const record = this.#recordAt(position);
    if (record === undefined || failure !== undefined)
      return { ok: false, reason: failure ?? 'io-error', message: 'no such record' };
    const moved = this.#append(record);
    const bad = this.#bad.get(placeName(position.segment, position.offset));
    if (bad !== undefined) this.spoil(moved, bad);
    return { ok: true, position: moved };
  }

  #readBack(position: RecordPosition): ReadBack {
    this.readCount++;
    const bad = this.#bad.get(placeName(position.segment, position.offset));
    if (bad !== undefined) return { ok: false, reason: bad, message: 'as the test wished' };
    const record = this.#recordAt(position);
    if (record === undefined) return { ok: false, reason: 'gone', message: 'no such record' };
    const { encoding, data } = record.payload;
    return { ok: true, payload: { encoding, data: new Uint8Array(data) } };
  }

  #recordAt({ segment, offset }: RecordPosition): ValueToWrite | undefined {
    return this.segments.get(segment)?.get(offset);
  }

  #append({ key, payload }: ValueToWrite): RecordPosition {
    const { segmentBytes = 1000, aloneBytes = segmentBytes / 4 } = this.options;
    const recordBytes = recordBytesMax(key, payload.data.byteLength);
    const isAlone = payload.data.byteLength > aloneBytes;
    if (isAlone || (this.#current?.sizeBytes ?? Infinity) + recordBytes > segmentBytes) {
      const fresh = { segment: this.#nextSegment++, sizeBytes: 0 };
      this.segments.set(fresh.segment, new Map());
      if (isAlone) return this.#put(fresh, { key, payload }, recordBytes, true);
      this.#current = fresh;
    }
    return this.#put(this.#current ?? { segment: 0, sizeBytes: 0 }, { key, payload }, recordBytes, false);
  }

  #put(
    file: { segment: number; sizeBytes: number },
    record: ValueToWrite,
    recordBytes: number,
    isAlone: boolean,
  ): RecordPosition {
    const offset = file.sizeBytes;
    this.segments.get(file.segment)?.set(offset, record);
    file.sizeBytes += recordBytes;
    this.writtenBytes += recordBytes;
    return { segment: file.segment, offset, recordBytes, codec: 'none', isAlone };
  }
}
