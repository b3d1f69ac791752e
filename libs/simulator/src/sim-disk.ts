import type { SeededRandom, TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import type { SpillCounters, Timers } from '@spillway/ports';
import type { ReadBack, RecordPosition, SpillDisk, ValueToWrite, Written } from '@spillway/worker-store';

interface SimRecord {
  readonly key: TaskKey;
  readonly payload: Payload;
  isDamaged: boolean;
}

const HEADER_BYTES = 16;
const SEGMENT_RECORDS = 4;

/** The disk of one simulated worker: takes its time, may be full, and may damage what is on it. Gone with the process. */
export class SimDisk implements SpillDisk {
  readonly #segments = new Map<number, Map<number, SimRecord>>();
  #segment = 0;
  #isSealed = true;
  #counters: { -readonly [Name in keyof SpillCounters]: number } = {
    writeCount: 0,
    writeBytes: 0,
    writeSeconds: 0,
    readCount: 0,
    readBytes: 0,
    readSeconds: 0,
    compressBytes: 0,
    compressSeconds: 0,
    decompressBytes: 0,
    decompressSeconds: 0,
  };
  isFull = false;

  constructor(
    private readonly timers: Timers,
    private readonly random: SeededRandom,
    private readonly bytesPerMs: number,
  ) {}

  get counters(): SpillCounters {
    return this.#counters;
  }

  async write(values: readonly ValueToWrite[]): Promise<readonly Written[]> {
    await this.#takeTime(values.reduce((sum, { payload }) => sum + payload.data.byteLength, 0));
    return values.map((value) => this.#append({ ...value, isDamaged: false }));
  }

  async read(key: TaskKey, position: RecordPosition): Promise<ReadBack> {
    await this.#takeTime(position.recordBytes);
    const record = this.#segments.get(position.segment)?.get(position.offset);
    if (record === undefined) return { ok: false, reason: 'gone', message: 'no such file' };
    if (record.isDamaged || record.key !== key) return { ok: false, reason: 'damaged', message: 'checksum' };
    this.#counters.readCount += 1;
    this.#counters.readBytes += position.recordBytes;
    return { ok: true, payload: { ...record.payload, data: record.payload.data.slice() } };
  }

  async copy(positions: readonly RecordPosition[]): Promise<readonly Written[]> {
    await this.#takeTime(positions.reduce((sum, { recordBytes }) => sum + recordBytes, 0));
    return positions.map(({ segment, offset }) => {
      const record = this.#segments.get(segment)?.get(offset);
      return record === undefined
        ? { ok: false, reason: 'folder-lost', message: 'no such file' }
        : this.#append({ ...record });
    });
  }

  markDead(): Promise<boolean> {
    return Promise.resolve(true);
  }

  sealSegment(segment: number): void {
    if (segment === this.#segment) this.#isSealed = true;
  }

  deleteSegment(segment: number): void {
    this.#segments.delete(segment);
  }

  pathOf(segment: number): string {
    return String(segment);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** One record, if there is any, is not what was written any more. */
  damageSome(): void {
    const records = [...this.#segments.values()].flatMap((segment) => [...segment.values()]);
    const record = this.random.pick(records);
    if (record !== undefined) record.isDamaged = true;
  }

  /** What a reader of the file finds at this place; `undefined` for nothing, or nothing whole. */
  recordAt(path: string, offset: number): Payload | undefined {
    const record = this.#segments.get(Number(path))?.get(offset);
    return record?.isDamaged === false ? record.payload : undefined;
  }

  #append(record: SimRecord): Written {
    if (this.isFull) return { ok: false, reason: 'disk-full', message: 'no space left' };
    const recordBytes = HEADER_BYTES + record.payload.data.byteLength;
    let records = this.#segments.get(this.#segment);
    if (this.#isSealed || records === undefined || records.size >= SEGMENT_RECORDS) {
      records = new Map();
      this.#segments.set(++this.#segment, records);
      this.#isSealed = false;
    }
    const offset = records.size;
    records.set(offset, record);
    this.#counters.writeCount += 1;
    this.#counters.writeBytes += recordBytes;
    return {
      ok: true,
      position: { segment: this.#segment, offset, recordBytes, codec: 'none', isAlone: false },
    };
  }

  #takeTime(bytes: number): Promise<void> {
    return new Promise((resolve) => this.timers.after(bytes / this.bytesPerMs, resolve));
  }
}
