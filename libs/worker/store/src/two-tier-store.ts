/**
 * The values of a worker in two tiers, RAM and disk. It does what it is told: which values to evict, and when, is
 * decided in `libs/worker/memory`; the input and output is behind `SpillDisk`, in a thread of its own.
 *
 * Invariants: a value held is in RAM, on disk, or both, never in neither. One that was read back keeps its copy on disk,
 * so evicting it again writes nothing. What is returned is what was put: bytes that have changed on disk are lost data.
 */
import { setImmediate } from 'node:timers/promises';
import { UnavailableError, type TaskKey } from '@spillway/kernel';
import type { Payload, SpillFailureReason } from '@spillway/messages';
import type {
  AdoptedValue,
  EvictOutcome,
  NotEvictedReason,
  SpillCounters,
  SpilledRead,
  SpillingStore,
} from '@spillway/ports';
import type { ReadFailureReason, RecordPosition, SpillDisk } from './disk/spill-disk.js';
import type { FoundInFolder } from './disk/scan-folder.js';
import { compacted } from './tiers/backing.js';
import { Compactor } from './tiers/compactor.js';
import { DeadMarks } from './tiers/dead-marks.js';
import { EvictTally } from './tiers/evict-tally.js';
import { HeldValues, type HeldValue } from './tiers/held-values.js';
import { LiveRecord } from './tiers/live-record.js';
import { SegmentTable } from './tiers/segment-table.js';
import { Spiller } from './tiers/spiller.js';

export interface TwoTierStoreOptions {
  readonly disk: SpillDisk;
  /** `worker.memory.max-spill`: most bytes of files; `false`: as many as the disk has. */
  readonly maxSpillBytes: number | false;
  /** A successor may adopt what is on disk when this process has died: what is freed is noted there. */
  readonly leavesValues?: boolean;
  /** Nothing is ever written, for this reason: the folder is on tmpfs. */
  readonly refuseBecause?: SpillFailureReason;
  /** A value that was on disk only cannot be read any more. It is not held any longer. */
  readonly onLost: (keys: readonly TaskKey[], reason: Exclude<ReadFailureReason, 'unavailable'>) => void;
  /** Asked just before a copy in RAM is dropped: what a task uses by then stays, and is on disk as well. */
  readonly isInUse?: (key: TaskKey) => boolean;
}

/** Keys that `evict` works through before it lets others have their turn. */
const SLICE_COUNT = 500;

export class TwoTierStore implements SpillingStore {
  readonly #table: SegmentTable;
  readonly #deadMarks: DeadMarks;
  readonly #held: HeldValues;
  readonly #reads = new Map<HeldValue, Promise<Payload | undefined>>();
  readonly #compactor: Compactor;
  readonly #spiller: Spiller;

  constructor(private readonly options: TwoTierStoreOptions) {
    const { leavesValues = false } = options;
    this.#table = new SegmentTable(leavesValues ? (record) => this.#deadMarks.add(record) : undefined);
    this.#deadMarks = new DeadMarks(options.disk, this.#table);
    this.#held = new HeldValues(this.#table);
    this.#compactor = new Compactor({
      disk: options.disk,
      table: this.#table,
      isWriting: () => this.#spiller.isWriting,
      onMoved: (record, position) => this.#moved(record, position),
    });
    this.#spiller = new Spiller({
      disk: options.disk,
      maxSpillBytes: options.maxSpillBytes,
      fileBytes: () => this.#table.fileBytes,
      onWritten: (held, position) => this.#written(held, position),
      onEnded: (held, failure, tally) => this.#evictWritten(held, failure, tally),
      onLimitReached: () => this.#compactor.squeeze(),
      onBatchEnded: () => this.#compactor.tidy(),
    });
  }

  get managedBytes(): number {
    return this.#held.ramBytes;
  }

  get spilledBytes(): number {
    return this.#table.liveBytes;
  }

  get spillCounters(): SpillCounters {
    return this.options.disk.counters;
  }

  get keyCount(): number {
    return this.#held.size;
  }

  keys(): Iterable<TaskKey> {
    return this.#held.keys();
  }

  has(key: TaskKey): boolean {
    return this.#held.get(key) !== undefined;
  }

  location(key: TaskKey): 'ram' | 'disk' | 'both' | undefined {
    return this.#held.get(key)?.tiers.in;
  }

  peek(key: TaskKey): Payload | undefined {
    return this.#held.get(key)?.payload;
  }

  put(key: TaskKey, payload: Payload): void {
    if (!this.has(key)) this.#held.add(key, compacted(payload));
  }

  /** Takes over what another process left in the folder; nothing is read yet. Requires: nothing was put before. */
  adopt({ segments, values, surplus }: FoundInFolder): readonly AdoptedValue[] {
    const bySegment = new Map(segments.map(({ segment }) => [segment, [] as LiveRecord[]]));
    for (const value of values) {
      const record = new LiveRecord(value.key, value.position);
      bySegment.get(record.segment)?.push(record);
      this.#held.addFromDisk(record, value);
    }
    for (const { segment, fileBytes } of segments)
      this.#table.adopt(segment, fileBytes, bySegment.get(segment) ?? []);
    for (const place of surplus) this.#deadMarks.add(place);
    this.#compactor.tidy();
    return values.map(({ key, rawBytes, position }) => ({
      key,
      nbytes: rawBytes,
      diskBytes: position.recordBytes,
    }));
  }

  /** Rejects with `UnavailableError` when it cannot be read at this moment; it is still held then. */
  async load(key: TaskKey): Promise<Payload | undefined> {
    const held = this.#held.get(key);
    if (held === undefined) return undefined;
    return held.payload ?? this.#readOnce(held);
  }

  free(key: TaskKey): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#drop(held);
    this.#compactor.tidy();
  }

  async evict(keys: readonly TaskKey[]): Promise<EvictOutcome> {
    const tally = new EvictTally(keys.length);
    const failureBefore = this.#spiller.lastFailure;
    for (let from = 0; from < keys.length; from += SLICE_COUNT) {
      if (from > 0) await setImmediate();
      const failure = this.#spiller.lastFailure;
      const refusal = failure === failureBefore ? this.options.refuseBecause : failure?.reason;
      for (const key of keys.slice(from, from + SLICE_COUNT)) this.#evict(key, refusal, tally);
      this.#spiller.pump();
    }
    return tally.outcome;
  }

  /** Requires: `release` of what is returned. A copy in RAM makes no difference. */
  openRead(key: TaskKey): SpilledRead | undefined {
    const held = this.#held.get(key);
    if (held?.record === undefined) return undefined;
    const { segment, offset, recordBytes, codec } = held.record;
    this.#table.pin(segment);
    let isPinned = true;
    const release = (): void => {
      if (!isPinned) return;
      isPinned = false;
      this.#table.unpin(segment);
      this.#compactor.tidy();
    };
    const { encoding, rawBytes } = held;
    const path = this.options.disk.pathOf(segment);
    return { key, encoding, path, offset, recordBytes, rawBytes, codec, release };
  }

  /** Whoever read through `openRead` found the record damaged, or gone. A copy in RAM stays, and may be spilled again. */
  reportUnreadable(read: SpilledRead, reason: Exclude<ReadFailureReason, 'unavailable'>): void {
    const held = this.#held.get(read.key);
    if (held?.record === undefined || held.record.offset !== read.offset) return;
    if (this.options.disk.pathOf(held.record.segment) === read.path) this.#lose(held, reason);
  }

  /** What is queued is given up; values stay where they are. The files are left to whoever owns the folder, or adopts them. */
  async close(): Promise<void> {
    this.#spiller.close();
    await this.#compactor.settled();
    await this.#deadMarks.settled();
    await this.options.disk.close();
  }

  /** `refusal`: nothing may be written. */
  #evict(key: TaskKey, refusal: SpillFailureReason | undefined, tally: EvictTally): void {
    const held = this.#held.get(key);
    if (held === undefined) tally.failed(key, 'not-held');
    else if (held.record !== undefined) this.#dropFromRam(held, held.record, tally);
    else if (refusal !== undefined) tally.failed(key, refusal);
    else if (held.payload !== undefined) this.#spiller.spill(held, held.payload, tally);
  }

  #evictWritten(held: HeldValue, failure: NotEvictedReason | undefined, tally: EvictTally): void {
    if (failure !== undefined) tally.failed(held.key, failure);
    else if (!held.isHeld || held.record === undefined) tally.failed(held.key, 'not-held');
    else this.#dropFromRam(held, held.record, tally);
  }

  #dropFromRam(held: HeldValue, { recordBytes }: LiveRecord, tally: EvictTally): void {
    if (held.payload !== undefined && this.options.isInUse?.(held.key) === true) {
      tally.kept(held.key, recordBytes);
      return;
    }
    this.#held.dropFromRam(held);
    tally.evicted(held.key, recordBytes);
  }

  #written(held: HeldValue, position: RecordPosition): void {
    const record = new LiveRecord(held.key, position);
    if (held.isHeld) this.#held.addToDisk(held, record);
    else {
      // Freed meanwhile: the record is rubbish from the start.
      this.#table.add(record);
      this.#table.remove(record);
    }
  }

  /** All who want it while it is being read share the read. */
  #readOnce(held: HeldValue): Promise<Payload | undefined> {
    const underWay = this.#reads.get(held);
    if (underWay !== undefined) return underWay;
    const reading = this.#read(held).finally(() => this.#reads.delete(held));
    this.#reads.set(held, reading);
    return reading;
  }

  async #read(held: HeldValue): Promise<Payload | undefined> {
    const { record } = held;
    if (record === undefined) return held.payload;
    this.#table.pin(record.segment);
    const result = await this.options.disk.read(held.key, record.position);
    this.#table.unpin(record.segment);
    this.#compactor.tidy();
    if (!held.isHeld) return this.load(held.key);
    if (result.ok) return this.#held.addToRam(held, result.payload);
    if (result.reason === 'unavailable')
      throw new UnavailableError(
        `The spilled value of ${held.key} cannot be read now: ${result.message} Try again.`,
      );
    this.#lose(held, result.reason);
    return held.payload;
  }

  #lose(held: HeldValue, reason: Exclude<ReadFailureReason, 'unavailable'>): void {
    const isLeft = this.#held.dropFromDisk(held);
    if (!isLeft) this.#drop(held);
    this.#compactor.tidy();
    if (!isLeft) this.options.onLost([held.key], reason);
  }

  #drop(held: HeldValue): void {
    this.#held.delete(held);
    this.#spiller.cancel(held);
  }

  #moved(record: LiveRecord, position: RecordPosition): boolean {
    const held = this.#held.get(record.key);
    if (held?.record !== record) return false;
    this.#held.addToDisk(held, new LiveRecord(record.key, position));
    return true;
  }
}
