import type { StimulusId, TaskKey } from '@spillway/kernel';
import type { SpillFailureReason } from '@spillway/messages';

/** Everything that can happen to a worker's memory. Each event has a cause, which all that it brings about repeats. */
export type MemoryEvent = MemoryHappening & { readonly stimulusId: StimulusId };

/** An eviction that ended well: the value is in RAM no more, and on disk with so many bytes. */
export interface Evicted {
  readonly key: TaskKey;
  /** As written: after compression. */
  readonly diskBytes: number;
}

/** A value on disk only. */
export interface Adopted extends Evicted {
  readonly nbytes: number;
}

/** Memory that is held for nobody, as far as it is known. The parts do not overlap; absent: not known. */
export interface HoardSample {
  /** Committed but unused memory of V8's heaps, over all isolates. */
  readonly v8UnusedBytes?: number;
  /** Dropped but not collected; at least what this machine saw being dropped is counted anyway. */
  readonly garbageDebtBytes?: number;
  /** Freed, but kept by malloc. After a trim it may include pages that are not resident; that is seen to here. */
  readonly mallocFreeBytes?: number;
}

export type MemoryHappening =
  // ---- values -----------------------------------------------------------------------------------------------------
  /** A value came into RAM: a result, a replica, data that was put. A key that is held already is only touched. */
  | { readonly type: 'value-stored'; readonly key: TaskKey; readonly nbytes: number }
  /** Values that are only on disk were taken over from an earlier life of this worker (D8). */
  | { readonly type: 'values-adopted'; readonly values: readonly Adopted[] }
  /** Someone read the value: it is the most recently used. */
  | { readonly type: 'value-touched'; readonly key: TaskKey }
  /** A value was read back into RAM; its disk copy stays and is clean. */
  | { readonly type: 'value-loaded'; readonly key: TaskKey }
  /** The value is gone from every tier. */
  | { readonly type: 'value-freed'; readonly key: TaskKey }
  /** Executing tasks use these: evicting them would free nothing. Once for each task; before they are loaded. */
  | { readonly type: 'inputs-pinned'; readonly keys: readonly TaskKey[] }
  /** A task that used these has ended. */
  | { readonly type: 'inputs-unpinned'; readonly keys: readonly TaskKey[] }
  /** What the decoded copies cached by executor threads come to now, by `sizeof`. Outcome of `drop-cached-copies` too. */
  | { readonly type: 'copies-cached'; readonly bytes: number }
  // ---- outcomes of `evict`: each of its keys is in exactly one of these -----------------------------------------------
  | { readonly type: 'evict-done'; readonly evictId: number; readonly evicted: readonly Evicted[] }
  /** On disk now, and still in RAM: a task had begun to use them. */
  | { readonly type: 'evict-kept'; readonly evictId: number; readonly kept: readonly Evicted[] }
  | {
      readonly type: 'evict-failed';
      readonly evictId: number;
      readonly keys: readonly TaskKey[];
      readonly reason: SpillFailureReason;
    }
  // ---- process memory -----------------------------------------------------------------------------------------------
  /** Every monitor interval, and as the outcome of `sample-memory`. */
  | {
      readonly type: 'memory-sampled';
      readonly processBytes: number;
      readonly hoard?: HoardSample;
      /** Tasks running now: a worker is not recycled under them. */
      readonly executingCount?: number;
    }
  /** Outcome of `collect-garbage`: every isolate has collected, or those that did not answer were given up. */
  | { readonly type: 'collected'; readonly durationMs: number }
  /** Outcome of `trim-memory`. `isSupported: false` (jemalloc, musl, macOS): it is not asked for again. */
  | { readonly type: 'trimmed'; readonly durationMs: number; readonly isSupported: boolean }
  // ---- from outside ---------------------------------------------------------------------------------------------------
  /** A live change of the limit: every threshold moves at once. */
  | { readonly type: 'limit-changed'; readonly limitBytes: number | false }
  /** Time has come to `nextWakeMs`. */
  | { readonly type: 'tick' };
