/**
 * Which records are live in which segment: what may be deleted, and what is worth compacting. Counts only; the files
 * themselves are the spill thread's.
 *
 * Invariant: `fileBytes` = `liveBytes` + bytes of segments not yet deleted in which there is no live record (any more).
 */
import type { RecordPosition } from '../disk/spill-disk.js';
import type { LiveRecord } from './live-record.js';

interface Segment {
  readonly id: number;
  /** Each knows its place here. */
  readonly records: LiveRecord[];
  totalBytes: number;
  liveBytes: number;
  /** Readers outside of the spill thread's order. */
  pinCount: number;
}

/** Segments with a smaller live share are compacted. */
const SPARSE_SHARE = 0.5;
/** Segments with a smaller dead share are not worth copying even when there is no room. */
const SQUEEZED_SHARE = 0.1;

export class SegmentTable {
  readonly #segments = new Map<number, Segment>();
  /** Nothing live in them. */
  readonly #empty = new Set<Segment>();
  /** Some live, but less than half. */
  readonly #sparse = new Set<Segment>();
  /** The last one that small records went to. What is being written now may still go there, even if it is sealed. */
  #newest: Segment | undefined;
  #isNewestSealed = false;
  #liveBytes = 0;
  #fileBytes = 0;

  /** `onDead`: a record was removed. Its segment may be gone soon, or stay. */
  constructor(private readonly onDead: (record: LiveRecord) => void = () => undefined) {}

  get liveBytes(): number {
    return this.#liveBytes;
  }

  get fileBytes(): number {
    return this.#fileBytes;
  }

  get deadBytes(): number {
    return this.#fileBytes - this.#liveBytes;
  }

  has(id: number): boolean {
    return this.#segments.has(id);
  }

  add(record: LiveRecord): void {
    const segment = this.#segments.get(record.segment) ?? this.#open(record);
    segment.totalBytes += record.recordBytes;
    this.#fileBytes += record.recordBytes;
    this.#place(record, segment);
  }

  /** A file that was there before, of so many bytes, with what is live in it. Nothing is appended to it. */
  adopt(id: number, fileBytes: number, records: readonly LiveRecord[]): void {
    const segment: Segment = { id, records: [], totalBytes: fileBytes, liveBytes: 0, pinCount: 0 };
    this.#segments.set(id, segment);
    this.#fileBytes += fileBytes;
    this.#sort(segment);
    for (const record of records) this.#place(record, segment);
  }

  remove(record: LiveRecord): void {
    const segment = this.#segments.get(record.segment);
    if (segment?.records[record.index] !== record) return;
    takeOut(segment.records, record);
    segment.liveBytes -= record.recordBytes;
    this.#liveBytes -= record.recordBytes;
    this.#sort(segment);
    this.onDead(record);
  }

  /** Keeps the segment until as many `unpin`. */
  pin(id: number): void {
    const segment = this.#segments.get(id);
    if (segment !== undefined) segment.pinCount++;
  }

  unpin(id: number): void {
    const segment = this.#segments.get(id);
    if (segment !== undefined) segment.pinCount--;
  }

  /** Segments to delete now; they are forgotten. `isWriting`: records may be on their way to the newest one. */
  takeEmpty(isWriting: boolean): number[] {
    const taken = [...this.#empty].filter(
      (segment) => segment.pinCount === 0 && !(isWriting && segment === this.#newest),
    );
    for (const segment of taken) {
      this.#empty.delete(segment);
      this.#segments.delete(segment.id);
      this.#fileBytes -= segment.totalBytes;
      if (segment === this.#newest) this.#newest = undefined;
    }
    return taken.map((segment) => segment.id);
  }

  /** Live records of one sparse segment, to be written elsewhere; up to so many bytes, at least one record. */
  toCompact(bytesMax: number): readonly LiveRecord[] {
    for (const segment of this.#sparse) {
      if (!this.#isGrowing(segment) && segment.pinCount === 0) return firstRecords(segment, bytesMax);
    }
    return [];
  }

  /** The same of whichever segment has most dead in it, if that is worth it: for when there is no room left. */
  toSqueeze(bytesMax: number): readonly LiveRecord[] {
    let best: Segment | undefined;
    for (const segment of this.#segments.values()) {
      if (segment.pinCount > 0 || segment.liveBytes === 0) continue;
      if (deadBytesOf(segment) < segment.totalBytes * SQUEEZED_SHARE) continue;
      if (deadBytesOf(segment) > deadBytesOf(best)) best = segment;
    }
    return best === undefined ? [] : firstRecords(best, bytesMax);
  }

  /** True when it was the one that grows. Requires: the disk is told so too. */
  seal(id: number): boolean {
    if (this.#newest?.id !== id || this.#isNewestSealed) return false;
    this.#isNewestSealed = true;
    return true;
  }

  #isGrowing(segment: Segment): boolean {
    return segment === this.#newest && !this.#isNewestSealed;
  }

  /** Not to be compacted before more of it has died: it did not work. */
  giveUpCompacting(id: number): void {
    const segment = this.#segments.get(id);
    if (segment !== undefined) this.#sparse.delete(segment);
  }

  #place(record: LiveRecord, segment: Segment): void {
    record.index = segment.records.push(record) - 1;
    segment.liveBytes += record.recordBytes;
    this.#liveBytes += record.recordBytes;
    this.#sort(segment);
  }

  #open({ segment: id, isAlone }: RecordPosition): Segment {
    const segment: Segment = { id, records: [], totalBytes: 0, liveBytes: 0, pinCount: 0 };
    this.#segments.set(id, segment);
    // A later one is begun when the one before is full: that one is as sparse as it is now.
    if (!isAlone && id > (this.#newest?.id ?? 0)) {
      this.#newest = segment;
      this.#isNewestSealed = false;
    }
    return segment;
  }

  #sort(segment: Segment): void {
    this.#move(this.#empty, segment, segment.liveBytes === 0);
    const isSparse = segment.liveBytes > 0 && segment.liveBytes < segment.totalBytes * SPARSE_SHARE;
    this.#move(this.#sparse, segment, isSparse);
  }

  #move(set: Set<Segment>, segment: Segment, belongs: boolean): void {
    if (belongs) set.add(segment);
    else set.delete(segment);
  }
}

/** The last one comes in its place. */
function takeOut(records: LiveRecord[], { index }: LiveRecord): void {
  const last = records.pop();
  if (last === undefined || last.index === index) return;
  records[index] = last;
  last.index = index;
}

const deadBytesOf = (segment: Segment | undefined): number =>
  segment === undefined ? 0 : segment.totalBytes - segment.liveBytes;

function firstRecords({ records }: Segment, bytesMax: number): LiveRecord[] {
  const first: LiveRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    bytes += record.recordBytes;
    if (first.length > 0 && bytes > bytesMax) break;
    first.push(record);
  }
  return first;
}
