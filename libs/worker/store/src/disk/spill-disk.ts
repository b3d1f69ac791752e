/** What the store asks of the disk: the seam between deciding where values are and doing the input and output. */
import type { TaskKey } from '@spillway/kernel';
import type { Payload, SpillFailureReason } from '@spillway/messages';
import type { SpillCounters } from '@spillway/ports';
import type { CodecName } from './codec.js';

/** Larger values are written alone; in shared memory they cross threads uncopied. */
export const SMALL_BYTES_MAX = 64 * 1024;
/** Most that is written in one go of smaller ones: handing them over takes the control loop a fraction of a millisecond. */
export const WRITE_BYTES_MAX = 512 * 1024;
export const WRITE_COUNT_MAX = 256;

export interface ValueToWrite {
  readonly key: TaskKey;
  readonly payload: Payload;
}

/** Where a record lies. */
export interface RecordPosition {
  readonly segment: number;
  readonly offset: number;
  readonly recordBytes: number;
  readonly codec: CodecName;
  /** The segment holds this record only, and is never appended to. */
  readonly isAlone: boolean;
}

/** Records of one segment, by where they start in it. */
export interface RecordPlaces {
  readonly segment: number;
  readonly offsets: Uint32Array;
}

export interface SpillFailure {
  readonly reason: SpillFailureReason;
  /** What the operating system said. */
  readonly message: string;
}

export type Written =
  { readonly ok: true; readonly position: RecordPosition } | ({ readonly ok: false } & SpillFailure);

/** `damaged` and `gone` are for ever; after `unavailable` the same read may succeed. */
export type ReadFailureReason = 'damaged' | 'gone' | 'unavailable';

export type ReadBack =
  | { readonly ok: true; readonly payload: Payload }
  | { readonly ok: false; readonly reason: ReadFailureReason; readonly message: string };

/** Nothing here rejects. Files are written to by one process only. */
export interface SpillDisk {
  /** One large value, or small ones up to the limits above. One answer for each, in order. */
  write(values: readonly ValueToWrite[]): Promise<readonly Written[]>;
  /** Large values come back in shared memory. */
  read(key: TaskKey, position: RecordPosition): Promise<ReadBack>;
  /** Appends copies of records. One answer for each, in order. */
  copy(positions: readonly RecordPosition[]): Promise<readonly Written[]>;
  /** Notes that these are wanted no more, for whoever adopts the files. Goes before all else; false when it cannot be noted. */
  markDead(records: readonly RecordPlaces[]): Promise<boolean>;
  /** Nothing more is appended to it. */
  sealSegment(segment: number): void;
  /** Requires: no record of it is wanted any more, and no write is under way if it is the one written to. */
  deleteSegment(segment: number): void;
  pathOf(segment: number): string;
  readonly counters: SpillCounters;
  close(): Promise<void>;
}
