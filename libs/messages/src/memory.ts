/** What a worker says of its memory (founding document, "Using the dashboard to monitor memory usage"). All in bytes. */

/** Why values cannot be written to disk. */
export type SpillFailureReason =
  | 'disk-full'
  | 'read-only'
  | 'no-access'
  /** The folder is gone, or something else has taken its place; or it could not be made. */
  | 'folder-lost'
  /** `worker.memory.max-spill` would be exceeded. */
  | 'limit-reached'
  /** The folder is on a file system that is itself memory (tmpfs), so that spilling would free nothing. */
  | 'folder-is-memory'
  | 'io-error'
  | 'thread-ended'
  | 'closed';

/** Invariant: `managedBytes` + `unmanagedOldBytes` + `unmanagedRecentBytes` is exactly `processBytes`. */
export interface MemoryReadings {
  /** Process memory (RSS), as measured by the operating system. */
  readonly processBytes: number;
  /** Encoded values in RAM and decoded copies, without what is spilled. */
  readonly managedBytes: number;
  /** Unmanaged memory that has been there for `recent-to-old-time`. */
  readonly unmanagedOldBytes: number;
  /** Unmanaged memory that appeared since. */
  readonly unmanagedRecentBytes: number;
  /** Held for nobody: garbage, unused heap, freed memory that malloc keeps. Part of the two unmanaged ones. */
  readonly hoardedBytes: number;
  /** Values on disk, after compression. Not part of process memory. */
  readonly spilledBytes: number;
  /** Most process memory of this life so far. */
  readonly processPeakBytes: number;
  /** Written to disk in this life, and read back. */
  readonly spillWrittenBytes: number;
  readonly spillReadBytes: number;
  /** The disk takes no values at present. */
  readonly spillRefusedBecause?: SpillFailureReason;
}

/** Of a worker that has not said anything yet. */
export const NO_READINGS: MemoryReadings = {
  processBytes: 0,
  managedBytes: 0,
  unmanagedOldBytes: 0,
  unmanagedRecentBytes: 0,
  hoardedBytes: 0,
  spilledBytes: 0,
  processPeakBytes: 0,
  spillWrittenBytes: 0,
  spillReadBytes: 0,
};
