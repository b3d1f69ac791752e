import type { StimulusId, TaskKey } from '@spillway/kernel';

/** Everything the memory machine can ask of its runtime, with its cause. Performed in order. */
export type MemoryInstruction = MemoryRequest & { readonly stimulusId: StimulusId };

/** The numbers that every line about a threshold carries (conventions L04); the runtime adds the keys that run. */
export interface MemoryNumbers {
  readonly processBytes: number;
  readonly limitBytes: number | false;
  /** Process memory as a share of the limit. */
  readonly fraction: number | undefined;
  readonly threshold: 'target' | 'spill' | 'pause' | undefined;
  readonly thresholdBytes: number | undefined;
  readonly managedBytes: number;
  /** Managed memory as counted: the sample of process memory may be older, and `managedBytes` is part of that. */
  readonly countedBytes: number;
  readonly unmanagedOldBytes: number;
  readonly unmanagedRecentBytes: number;
  /** Part of unmanaged. */
  readonly hoardedBytes: number;
  /** Process memory less what is known to be reclaimable: what decisions are made on. */
  readonly liveBytes: number;
  readonly spilledBytes: number;
  readonly spillDebtBytes: number;
}

export type MemoryLogEvent =
  | 'spill.started'
  | 'spill.ended'
  | 'spill.refused'
  | 'spill.accepted'
  | 'memory.reclaimed'
  | 'worker.paused'
  | 'worker.resumed'
  | 'worker.recycling';

/**
 * `open`: tasks start as slots are free. `one-at-a-time`: the disk takes nothing and memory is over its target, so only
 * one task runs at a time. `closed`: too many bytes are on their way to disk, no task starts.
 */
export type Admission = 'open' | 'one-at-a-time' | 'closed';

export type MemoryRequest =
  /**
   * Move these out of RAM, in this order: write them, or just drop them where they are on disk already. Ends, key by key, in
   * `evict-done` or `evict-failed` with this id.
   */
  | {
      readonly type: 'evict';
      readonly evictId: number;
      readonly keys: readonly TaskKey[];
      readonly why: 'target' | 'spill';
    }
  /** Drop the decoded copies that executor threads cache. Ends in `copies-cached`. */
  | { readonly type: 'drop-cached-copies' }
  /** Collect in every isolate that may have seen a value: the main one, tasks', transfers'. Ends in `collected`. */
  | { readonly type: 'collect-garbage'; readonly why: 'garbage-debt' | 'pressure' }
  /** Have malloc give back what it keeps, off the control loop. Ends in `trimmed`. */
  | { readonly type: 'trim-memory' }
  /** Sample now, out of turn. Ends in `memory-sampled`. */
  | { readonly type: 'sample-memory' }
  /** Pause or go on; the scheduler is told. */
  | { readonly type: 'set-status'; readonly status: 'paused' | 'running' }
  /** Serve at most so many transfers at a time; `false`: as many as ever. */
  | { readonly type: 'set-serving-max'; readonly transfersMax: number | false }
  /** Which tasks may start: credit for what they will produce. */
  | { readonly type: 'set-admission'; readonly admission: Admission }
  /** What the results of running tasks may come to add to process memory; `false`: any amount. In steps. */
  | { readonly type: 'set-room'; readonly roomBytes: number | false }
  /** Give the tasks that have not started back to the scheduler. */
  | { readonly type: 'hand-back-unstarted' }
  /** Paused for long, nothing to spill, nothing reclaimed: a fresh process is the only help. */
  | { readonly type: 'recycle-worker'; readonly reason: string }
  /**
   * Memory is high and nothing is left to spill: because it is not managed at all; because what is managed is in use; or
   * because the disk takes nothing. At most once in five minutes.
   */
  | {
      readonly type: 'warn-unmanaged';
      readonly why: 'unmanaged' | 'in-use' | 'disk';
      readonly numbers: MemoryNumbers;
    }
  | {
      readonly type: 'log-event';
      readonly event: MemoryLogEvent;
      readonly level: 'info' | 'warn';
      readonly numbers: MemoryNumbers;
      /** `spill.refused`: what is wrong with the disk. `memory.reclaimed`: how much came back. */
      readonly detail?: string;
    };
