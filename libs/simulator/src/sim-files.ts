import type { TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import type { FoundInFolder, FoundValue, RecordPlaces, RecordPosition } from '@spillway/worker-store';

export interface SimRecord {
  readonly key: TaskKey;
  readonly payload: Payload;
  isDamaged: boolean;
}

const HEADER_BYTES = 16;
const SEGMENT_RECORDS = 4;

export const recordBytesOf = ({ payload }: Pick<SimRecord, 'payload'>): number =>
  HEADER_BYTES + payload.data.byteLength;

/** What lies on the disk of one simulated worker. It outlives the process, unless that, or its nanny, removes it. */
export class SimFiles {
  readonly #segments = new Map<number, Map<number, SimRecord>>();
  /** As `segment:offset`. */
  readonly #dead = new Set<string>();
  #segment = 0;
  #isSealed = true;

  /** Another process goes on: it appends to none of the files that are there. */
  seal(segment = this.#segment): void {
    if (segment === this.#segment) this.#isSealed = true;
  }

  append(record: SimRecord): RecordPosition {
    let records = this.#segments.get(this.#segment);
    if (this.#isSealed || records === undefined || records.size >= SEGMENT_RECORDS) {
      records = new Map();
      this.#segments.set(++this.#segment, records);
      this.#isSealed = false;
    }
    const offset = records.size;
    records.set(offset, record);
    return positionOf(this.#segment, offset, record);
  }

  at(segment: number, offset: number): SimRecord | undefined {
    return this.#segments.get(segment)?.get(offset);
  }

  all(): SimRecord[] {
    return [...this.#segments.values()].flatMap((records) => [...records.values()]);
  }

  mend(): void {
    for (const record of this.all()) record.isDamaged = false;
  }

  delete(segment: number): void {
    this.#segments.delete(segment);
  }

  markDead({ segment, offsets }: RecordPlaces): void {
    for (const offset of offsets) this.#dead.add(`${segment}:${offset}`);
  }

  /** What a successor finds: as `scanSpillFolder` does. */
  scan(): FoundInFolder {
    const values = new Map<TaskKey, FoundValue>();
    const surplus: RecordPosition[] = [];
    for (const [segment, records] of this.#segments)
      for (const [offset, record] of records) {
        if (this.#dead.has(`${segment}:${offset}`)) continue;
        const { key, payload } = record;
        const older = values.get(key);
        if (older !== undefined) surplus.push(older.position);
        const position = positionOf(segment, offset, record);
        values.set(key, { key, encoding: payload.encoding, rawBytes: payload.data.byteLength, position });
      }
    const segments = Array.from(this.#segments, ([segment, records]) => ({
      segment,
      fileBytes: [...records.values()].reduce((sum, record) => sum + recordBytesOf(record), 0),
    }));
    return { segments, values: [...values.values()], surplus };
  }
}

const positionOf = (segment: number, offset: number, record: SimRecord): RecordPosition => ({
  segment,
  offset,
  recordBytes: recordBytesOf(record),
  codec: 'none',
  isAlone: false,
});
