import type { ModuleHash, NannyId, RunId, StimulusId, TaskKey, WorkerId } from '@spillway/kernel';
import type { MemoryReadings } from './memory.js';
import type { Holder, RunOutcome, RunRequest, WorkerStatus } from './client.js';
import type { RemoteError } from './remote-error.js';
import type { TaskSpec } from './task-spec.js';
import type { Payload } from './values.js';

/** A value a worker holds. */
export interface Holding {
  readonly key: TaskKey;
  readonly nbytes: number;
}

/** First words of a worker on its control stream. */
export interface WorkerHello {
  readonly workerId: WorkerId;
  /** Stable across restarts; unique in the cluster. */
  readonly name: string;
  /** The nanny that owns the process; absent for a worker started without one. */
  readonly nannyId?: NannyId;
  /** `host:port` at which peers and clients reach the data service. */
  readonly address: string;
  readonly nthreads: number;
  readonly memoryLimitBytes: number | false;
  /** Beyond its limit it is ended (`worker.memory.terminate`), so it is not sent inputs that come to more. */
  readonly isLimitEnforced: boolean;
  /** Share of its limit above which its nanny ends it. Absent: nobody does, or that is not known. */
  readonly terminateFraction?: number;
  readonly pid: number;
  readonly protocol: { readonly major: number; readonly minor: number };
  readonly softwareVersion: string;
  /** What it already holds: after the scheduler lost its session, or adopted from disk. */
  readonly holdings: readonly Holding[];
  /** Runs that it went on with after it lost its session. */
  readonly executing?: readonly { readonly key: TaskKey; readonly runId: RunId }[];
}

/** An input of a task, with where it can be fetched. */
export interface Dependency {
  readonly key: TaskKey;
  readonly nbytes: number;
  readonly whoHas: readonly Holder[];
}

/** (−user priority, submission, graph order): compared left to right, smaller first. */
export type Priority = readonly [user: number, submission: number, order: number];

/** What the scheduler says to a worker. */
export type SchedulerToWorker =
  | {
      readonly type: 'compute-task';
      readonly stimulusId: StimulusId;
      readonly runId: RunId;
      readonly priority: Priority;
      /** Attempt of this task, 1 for the first; counts retries and deaths. */
      readonly attempt: number;
      /** Learned duration of its function; `undefined` while unknown. Short tasks are handed over in packs. */
      readonly expectedMs: number | undefined;
      /** Learned size of its function's encoded results; absent while unknown, and for small ones. */
      readonly expectedBytes?: number;
      /** Its end frees memory, and nothing else can: run it although the worker is paused. Its inputs are here. */
      readonly evenIfPaused?: boolean;
      readonly spec: TaskSpec;
      readonly dependencies: readonly Dependency[];
    }
  /** Drop these results and forget tasks of these keys that have not started; stop those that have. */
  | { readonly type: 'free-keys'; readonly stimulusId: StimulusId; readonly keys: readonly TaskKey[] }
  /** Stop this attempt, wherever it stands. Not answered. */
  | {
      readonly type: 'cancel-task';
      readonly stimulusId: StimulusId;
      readonly key: TaskKey;
      readonly runId: RunId;
    }
  /** Fetch and keep a copy. Answered by `replicas-added`, or by `request-who-has` when no holder has it. */
  | {
      readonly type: 'acquire-replicas';
      readonly stimulusId: StimulusId;
      readonly replicas: readonly Dependency[];
    }
  /** Where the keys are now; no holders: nowhere (yet). */
  | {
      readonly type: 'refresh-who-has';
      readonly stimulusId: StimulusId;
      readonly dependencies: readonly Dependency[];
    }
  /** A peer is gone: stop waiting for it. */
  | { readonly type: 'peer-lost'; readonly stimulusId: StimulusId; readonly workerId: WorkerId }
  | {
      readonly type: 'run-function';
      readonly stimulusId: StimulusId;
      readonly requestId: number;
      readonly request: RunRequest;
    }
  /** Modules that no task uses any more may be unloaded. */
  | {
      readonly type: 'unload-modules';
      readonly stimulusId: StimulusId;
      readonly moduleHashes: readonly ModuleHash[];
    }
  /** It is to leave: it starts and fetches nothing more and hands back what it has not begun. It is told when to close. */
  | { readonly type: 'retire-worker'; readonly stimulusId: StimulusId }
  /**
   * Close down, in order. `retired`: it has left for good, so its nanny starts no other; unless `leavesValues`, then it writes
   * out what it has for one that comes later.
   */
  | {
      readonly type: 'close-worker';
      readonly stimulusId: StimulusId;
      readonly reason: string;
      readonly retired?: { readonly leavesValues: boolean };
    };

/** Measured by the worker, sent with each heartbeat. */
export interface WorkerMetrics {
  readonly memory: MemoryReadings;
  /** It spills, or is close to it: hand over no more than it has slots, and rather what frees memory. */
  readonly isUnderPressure: boolean;
  /** Its limit now, which may have changed since its hello. Absent: as it said then. */
  readonly memoryLimitBytes?: number;
  readonly cpuFraction: number;
  readonly loopDelayMs: number;
  readonly executing: readonly ExecutingTask[];
}

/** What a worker executes at this moment. */
export interface ExecutingTask {
  readonly key: TaskKey;
  readonly runId: RunId;
  /** For how long already. */
  readonly forMs: number;
  /** The most that its worker's process memory has grown by on its account. Absent: not looked at yet. */
  readonly peakBytes?: number;
}

/** What a worker says to the scheduler. */
export type WorkerToScheduler =
  | {
      readonly type: 'task-finished';
      readonly stimulusId: StimulusId;
      readonly key: TaskKey;
      readonly runId: RunId;
      readonly nbytes: number;
      /** Time in the user's function, without waiting and fetching. */
      readonly durationMs: number;
      /** The value, when it is small (`INLINE_RESULT_BYTES_MAX`). */
      readonly inline?: Payload;
    }
  | {
      readonly type: 'task-erred';
      readonly stimulusId: StimulusId;
      readonly key: TaskKey;
      readonly runId: RunId;
      readonly error: RemoteError;
      /** False for what a retry cannot mend: the function does not exist, the arguments do not decode. */
      readonly mayRetry: boolean;
    }
  /** Not started here and given back: decide again. No error, nobody is charged. */
  | {
      readonly type: 'task-handed-back';
      readonly stimulusId: StimulusId;
      readonly key: TaskKey;
      readonly runId: RunId;
      readonly reason: string;
    }
  | {
      readonly type: 'replicas-added';
      readonly stimulusId: StimulusId;
      readonly replicas: readonly Holding[];
    }
  /** A holder that was named did not have the key, or could not be reached. */
  | {
      readonly type: 'replica-missing';
      readonly stimulusId: StimulusId;
      readonly key: TaskKey;
      readonly holderId: WorkerId;
    }
  /** Own copies that are gone (a spill file that does not match its checksum). */
  | { readonly type: 'replicas-lost'; readonly stimulusId: StimulusId; readonly keys: readonly TaskKey[] }
  | { readonly type: 'request-who-has'; readonly stimulusId: StimulusId; readonly keys: readonly TaskKey[] }
  | { readonly type: 'worker-status-change'; readonly stimulusId: StimulusId; readonly status: WorkerStatus }
  | { readonly type: 'heartbeat'; readonly stimulusId: StimulusId; readonly metrics: WorkerMetrics }
  /**
   * It has been told to end and has this long: nothing more shall be given to it, and what only it has shall be copied. Ends
   * in `close-worker`, at the latest when the time is over. `mayLeave`: a worker of its name can take over what it has on disk.
   */
  | {
      readonly type: 'request-retirement';
      readonly stimulusId: StimulusId;
      readonly reason: string;
      readonly deadlineMs: number;
      readonly mayLeave: boolean;
      /** A successor starts at once: everything is left to it, and nothing is copied. */
      readonly leavesAll?: boolean;
    }
  | {
      readonly type: 'run-done';
      readonly stimulusId: StimulusId;
      readonly requestId: number;
      readonly outcome: RunOutcome;
    }
  /** The worker ends on purpose, after this. Nobody is charged. */
  | {
      readonly type: 'worker-closing';
      readonly stimulusId: StimulusId;
      readonly reason: string;
      /** Its successor takes over the values that it has (architecture.md D8). */
      readonly leavesValues: boolean;
    };
