import type { TaskKey } from '@spillway/kernel';
import type { Payload, SpillFailureReason } from '@spillway/messages';

/** The values a worker holds. Immutable once put; putting a key again is a no-op. */
export interface ValueStore {
  readonly managedBytes: number;
  readonly keyCount: number;
  put(key: TaskKey, payload: Payload): void;
  has(key: TaskKey): boolean;
  /** Only what is in RAM now. */
  peek(key: TaskKey): Payload | undefined;
  /** From RAM or, in time, from disk; `undefined` when not held. */
  load(key: TaskKey): Promise<Payload | undefined>;
  /** Drops the value in every tier without reading it. Unknown keys are ignored. */
  free(key: TaskKey): void;
  keys(): Iterable<TaskKey>;
}

/** `not-held`: freed before, or meanwhile. */
export type NotEvictedReason = SpillFailureReason | 'not-held';

export interface EvictOutcome {
  /** On disk only, with so many bytes: after compression. */
  readonly evicted: readonly { readonly key: TaskKey; readonly diskBytes: number }[];
  /** On disk as well, and still in RAM: a task has begun to use it. */
  readonly kept: readonly { readonly key: TaskKey; readonly diskBytes: number }[];
  readonly failed: readonly { readonly key: TaskKey; readonly reason: NotEvictedReason }[];
}

/** A spilled value where it lies on disk, for a reader in another thread. Requires: `release` once it is done. */
export interface SpilledRead {
  readonly key: TaskKey;
  readonly encoding: Payload['encoding'];
  readonly path: string;
  /** Where its record starts in the file, header included. */
  readonly offset: number;
  readonly recordBytes: number;
  readonly rawBytes: number;
  readonly codec: string;
  /** Until then the file stays, whatever is freed. Calling it twice is harmless. */
  release(): void;
}

/** A value that an earlier life of the worker left on disk. */
export interface AdoptedValue {
  readonly key: TaskKey;
  readonly nbytes: number;
  /** As written: after compression. */
  readonly diskBytes: number;
}

/** Cumulative; all start at 0. Bytes of compress and decompress are those of the uncompressed side. */
export interface SpillCounters {
  readonly writeCount: number;
  readonly writeBytes: number;
  readonly writeSeconds: number;
  readonly readCount: number;
  readonly readBytes: number;
  readonly readSeconds: number;
  readonly compressBytes: number;
  readonly compressSeconds: number;
  readonly decompressBytes: number;
  readonly decompressSeconds: number;
}

/** A store that can move values to disk. Invariant: a value held is in RAM, on disk, or both, never in neither. */
export interface SpillingStore extends ValueStore {
  /** Bytes on disk of the values that are there, after compression. */
  readonly spilledBytes: number;
  readonly spillCounters: SpillCounters;
  location(key: TaskKey): 'ram' | 'disk' | 'both' | undefined;
  /**
   * Takes values out of RAM, writing those to disk that are not there yet. Never rejects; what fails stays in RAM. Whether
   * and when to try again is decided by the memory machine.
   */
  evict(keys: readonly TaskKey[]): Promise<EvictOutcome>;
  /** Where the value lies on disk; `undefined` when it is not there. */
  openRead(key: TaskKey): SpilledRead | undefined;
  /** Whoever read there found bytes that were not written, or none: the value is lost, unless it is in RAM as well. */
  reportUnreadable(read: SpilledRead, reason: 'damaged' | 'gone'): void;
}
