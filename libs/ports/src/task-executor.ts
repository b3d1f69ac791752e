import type { ModuleHash, RunId, TaskKey } from '@spillway/kernel';
import type { Encoding, FunctionRef, Payload, RemoteError, RunOutcome, RunRequest } from '@spillway/messages';

/** One attempt of one task, with its inputs at hand. */
export interface Execution {
  readonly slot: number;
  readonly key: TaskKey;
  readonly runId: RunId;
  readonly attempt: number;
  readonly function: FunctionRef;
  readonly args: Payload;
  /** In the order of the task's dependencies. Data in shared buffers is read in place, not copied. */
  readonly inputs: readonly Payload[];
  /** Keys of the inputs, in their order. Needed where threads keep decoded copies, and not read elsewhere. */
  readonly inputKeys?: readonly TaskKey[];
  readonly resultEncoding: Encoding;
}

export type StopReason = 'cancelled' | 'timeout' | 'out-of-memory';

/** Every execution ends in exactly one of these. */
export type ExecutionOutcome =
  | {
      readonly type: 'execute-success';
      readonly slot: number;
      readonly key: TaskKey;
      readonly runId: RunId;
      /** Larger values are in a SharedArrayBuffer of their own, of exactly their size. */
      readonly result: Payload;
      readonly durationMs: number;
    }
  | {
      readonly type: 'execute-failure';
      readonly slot: number;
      readonly key: TaskKey;
      readonly runId: RunId;
      readonly error: RemoteError;
      readonly mayRetry: boolean;
    }
  /** Stopped because `stop` was called; or, with `started: false`, lost its thread before its turn came. */
  | {
      readonly type: 'execute-stopped';
      readonly slot: number;
      readonly key: TaskKey;
      readonly runId: RunId;
      readonly reason: StopReason | 'thread-ended';
      readonly started: boolean;
    };

/** A line that user code wrote to its console or task logger. */
export interface TaskLogLine {
  readonly key: TaskKey | undefined;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
}

export interface TaskExecutorListener {
  /** Everything that ended in one turn. */
  onOutcomes(outcomes: readonly ExecutionOutcome[]): void;
  onLog(line: TaskLogLine): void;
  /** The slot's thread does not end although it was told to: a native call. The worker has to be recycled. */
  onSlotStuck(slot: number, key: TaskKey, forMs: number): void;
}

/** Runs user code in threads: one thread a slot, one task at a time in it. */
export interface TaskExecutor {
  readonly slotCount: number;
  /** Hands an attempt to a slot; behind what the slot has already, in order. All of a turn travel in one message. */
  execute(execution: Execution): void;
  /** Drops the attempt if it has not started; else aborts its signal and, after a moment, ends its thread. */
  stop(slot: number, key: TaskKey, runId: RunId, reason: StopReason): void;
  /** Runs a function outside of slots (`client.run`), in a thread kept for that. */
  runAside(request: RunRequest): Promise<RunOutcome>;
  unloadModules(hashes: readonly ModuleHash[]): void;
  /** Resolves when every thread has collected its garbage, or has ended. A thread deep in a native call may take its time. */
  collectGarbage(): Promise<void>;
  /** Memory that the heaps of all threads have committed and do not use, as far as it is known; a moment old. */
  readonly heapUnusedBytes: number;
  /** Decoded copies that threads keep, by `sizeof`; a moment old. 0 unless `worker.memory.decoded-cache` is on. */
  readonly cachedBytes: number;
  /** Resolves when every thread has let go of its decoded copies, or has ended. */
  dropCachedCopies(): Promise<void>;
  /** These values are gone from the store: decoded copies of them are of no use. */
  forgetCopies(keys: readonly TaskKey[]): void;
  close(): Promise<void>;
}

/** Where bundles come from. Rejects with `FunctionNotFoundError` for a hash nobody uploaded. */
export interface ModuleSource {
  fetch(hash: ModuleHash): Promise<Uint8Array>;
}
