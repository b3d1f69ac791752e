import type { TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';

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

/** Why a value could not be written to disk. */
export type SpillFailureReason =
  | 'disk-full'
  | 'read-only'
  | 'no-access'
  /** The folder is gone, or something else has taken its place. */
  | 'folder-lost'
  /** `worker.memory.max-spill` would be exceeded. */
  | 'limit-reached'
  /** The folder is on a file system that is itself memory (tmpfs), so that spilling would free nothing. */
  | 'folder-is-memory'
  | 'io-error'
  | 'thread-ended'
  | 'closed';

/** `not-held`: freed before, or meanwhile. `in-use`: it is on disk now, but a task has begun to use the copy in RAM. */
export type NotEvictedReason = SpillFailureReason | 'not-held' | 'in-use';

export interface EvictOutcome {
  /** `bytes`: what it took of RAM; 0 when it was on disk only. */
  readonly evicted: readonly { readonly key: TaskKey; readonly bytes: number }[];
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
  /** RAM bytes of values that are on disk too: evicting them writes nothing. */
  readonly cleanBytes: number;
  /** Spill debt (D7): RAM bytes that wait to be written, or are being written. */
  readonly pendingSpillBytes: number;
  readonly spillCounters: SpillCounters;
  /** Set while writing to disk is given up, until the next attempt. */
  readonly spillDisabledBecause: SpillFailureReason | undefined;
  location(key: TaskKey): 'ram' | 'disk' | 'both' | undefined;
  /** Takes values out of RAM, writing those to disk that are not there yet. Never rejects; what fails stays in RAM. */
  evict(keys: readonly TaskKey[], nowMs: number): Promise<EvictOutcome>;
  /** Where the value lies on disk; `undefined` when it is not there. */
  openRead(key: TaskKey): SpilledRead | undefined;
}
