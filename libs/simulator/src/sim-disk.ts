import type { SeededRandom, TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import type { SpillCounters, Timers } from '@spillway/ports';
import type {
  ReadBack,
  RecordPlaces,
  RecordPosition,
  SpillDisk,
  ValueToWrite,
  Written,
} from '@spillway/worker-store';
import { recordBytesOf, type SimFiles, type SimRecord } from './sim-files.js';

/** A note is a few bytes. */
const NOTE_BYTES = 4;

/** Asked for and not done yet: a process that dies has done some of it, or all, or nothing. */
interface UnderWay {
  /** What it is about. */
  readonly keys: readonly TaskKey[];
  readonly steps: readonly (() => unknown)[];
}

/** The way to the disk of one simulated worker process: takes its time, may be full, and may damage what is there. */
export class SimDisk implements SpillDisk {
  readonly #underWay = new Set<UnderWay>();
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
    readonly files: SimFiles,
    private readonly timers: Timers,
    private readonly random: SeededRandom,
    private readonly bytesPerMs: number,
  ) {
    files.seal();
  }

  get counters(): SpillCounters {
    return this.#counters;
  }

  write(values: readonly ValueToWrite[]): Promise<readonly Written[]> {
    return this.#perform(
      values.map(({ key }) => key),
      values.reduce((sum, { payload }) => sum + payload.data.byteLength, 0),
      values.map((value) => () => this.#append({ ...value, isDamaged: false })),
    );
  }

  async read(key: TaskKey, position: RecordPosition): Promise<ReadBack> {
    await this.#takeTime(position.recordBytes);
    const record = this.files.at(position.segment, position.offset);
    if (record === undefined) return { ok: false, reason: 'gone', message: 'no such file' };
    if (record.isDamaged || record.key !== key) return { ok: false, reason: 'damaged', message: 'checksum' };
    this.#counters.readCount += 1;
    this.#counters.readBytes += position.recordBytes;
    return { ok: true, payload: { ...record.payload, data: record.payload.data.slice() } };
  }

  copy(positions: readonly RecordPosition[]): Promise<readonly Written[]> {
    return this.#perform(
      positions.flatMap(({ segment, offset }) => this.files.at(segment, offset)?.key ?? []),
      positions.reduce((sum, { recordBytes }) => sum + recordBytes, 0),
      positions.map(({ segment, offset }) => () => {
        const record = this.files.at(segment, offset);
        return record === undefined
          ? { ok: false, reason: 'folder-lost', message: 'no such file' }
          : this.#append({ ...record });
      }),
    );
  }

  async markDead(records: readonly RecordPlaces[]): Promise<boolean> {
    const keys = records.flatMap(({ segment, offsets }) =>
      Array.from(offsets, (offset) => this.files.at(segment, offset)?.key ?? []).flat(),
    );
    await this.#perform(
      keys,
      NOTE_BYTES,
      records.map((places) => () => this.files.markDead(places)),
    );
    return true;
  }

  sealSegment(segment: number): void {
    this.files.seal(segment);
  }

  deleteSegment(segment: number): void {
    this.files.delete(segment);
  }

  pathOf(segment: number): string {
    return String(segment);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The process has died. Returns the keys of what it had asked for and does not know the outcome of. */
  died(): ReadonlySet<TaskKey> {
    for (const { steps } of this.#underWay)
      for (const step of steps.slice(0, this.random.below(steps.length + 1))) step();
    return new Set([...this.#underWay].flatMap(({ keys }) => keys));
  }

  /** One record, if there is any, is not what was written any more. */
  damageSome(): void {
    const record = this.random.pick(this.files.all());
    if (record !== undefined) record.isDamaged = true;
  }

  /** What a reader of the file finds at this place; `undefined` for nothing, or nothing whole. */
  recordAt(path: string, offset: number): Payload | undefined {
    const record = this.files.at(Number(path), offset);
    return record?.isDamaged === false ? record.payload : undefined;
  }

  #append(record: SimRecord): Written {
    if (this.isFull) return { ok: false, reason: 'disk-full', message: 'no space left' };
    this.#counters.writeCount += 1;
    this.#counters.writeBytes += recordBytesOf(record);
    return { ok: true, position: this.files.append(record) };
  }

  async #perform<Result>(
    keys: readonly TaskKey[],
    bytes: number,
    steps: readonly (() => Result)[],
  ): Promise<readonly Result[]> {
    const job: UnderWay = { keys, steps };
    this.#underWay.add(job);
    await this.#takeTime(bytes);
    this.#underWay.delete(job);
    return steps.map((step) => step());
  }

  #takeTime(bytes: number): Promise<void> {
    return new Promise((resolve) => this.timers.after(bytes / this.bytesPerMs, resolve));
  }
}
