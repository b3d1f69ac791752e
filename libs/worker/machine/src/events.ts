import type { RunId, StimulusId, TaskKey, WorkerId } from '@spillway/kernel';
import type { Holding, Payload, RemoteError, SchedulerToWorker, WorkerStatus } from '@spillway/messages';

/**
 * Everything that can happen to a worker's tasks. Messages of the scheduler are events of the same name; the rest are
 * outcomes of instructions (each instruction has exactly one family of outcomes) and the passing of time.
 * Values themselves never enter the machine: the runtime puts them in the store before it reports them.
 */
export type WorkerEvent =
  | Extract<
      SchedulerToWorker,
      {
        type:
          | 'compute-task'
          | 'free-keys'
          | 'cancel-task'
          | 'acquire-replicas'
          | 'refresh-who-has'
          | 'peer-lost'
          | 'retire-worker';
      }
    >
  | WorkerOutcome
  | { readonly type: 'tick'; readonly stimulusId: StimulusId };

/**
 * `open`: tasks start as slots are free and there is room for what they return. `one-at-a-time`: only while no other runs. `closed`: none starts. What a slot's
 * thread has been given runs on.
 */
export type Admission = 'open' | 'one-at-a-time' | 'closed';

export type WorkerOutcome =
  /** A gather ended. `arrived` are in the store already; `missing` the peer did not have. */
  | {
      readonly type: 'gather-success';
      readonly stimulusId: StimulusId;
      readonly peerId: WorkerId;
      readonly arrived: readonly { readonly key: TaskKey; readonly nbytes: number }[];
      readonly missing: readonly TaskKey[];
    }
  | { readonly type: 'gather-busy'; readonly stimulusId: StimulusId; readonly peerId: WorkerId }
  /** What had arrived whole before the break is in `arrived` (and in the store). */
  | {
      readonly type: 'gather-network-failure';
      readonly stimulusId: StimulusId;
      readonly peerId: WorkerId;
      readonly arrived: readonly { readonly key: TaskKey; readonly nbytes: number }[];
      readonly message: string;
    }
  /** The result is in the store. `inline`: the value again, when it is small. */
  | {
      readonly type: 'execute-success';
      readonly stimulusId: StimulusId;
      readonly key: TaskKey;
      readonly runId: RunId;
      readonly nbytes: number;
      readonly durationMs: number;
      readonly inline?: Payload;
    }
  | {
      readonly type: 'execute-failure';
      readonly stimulusId: StimulusId;
      readonly key: TaskKey;
      readonly runId: RunId;
      readonly error: RemoteError;
      readonly mayRetry: boolean;
    }
  /**
   * After `stop-execution`; or when a thread ended under tasks that had not started in it, or an input was lost before the
   * task could have it (`started: false`).
   */
  | {
      readonly type: 'execute-stopped';
      readonly stimulusId: StimulusId;
      readonly key: TaskKey;
      readonly runId: RunId;
      readonly reason: 'cancelled' | 'timeout' | 'out-of-memory' | 'thread-ended' | 'inputs-lost';
      readonly started: boolean;
    }
  /** A slot's thread does not end: a native call. */
  | {
      readonly type: 'slot-stuck';
      readonly stimulusId: StimulusId;
      readonly slot: number;
      readonly key: TaskKey;
      readonly forMs: number;
    }
  /** Process memory nears the point where V8 or the nanny would end the process: end the likeliest task first. */
  | {
      readonly type: 'runaway-growth';
      readonly stimulusId: StimulusId;
      readonly slot: number;
      readonly processBytes: number;
      readonly limitBytes: number;
    }
  /** A client or peer put a value here; it is in the store. */
  | {
      readonly type: 'data-put';
      readonly stimulusId: StimulusId;
      readonly key: TaskKey;
      readonly nbytes: number;
    }
  /** An earlier life of this worker left these; they are in the store. Before all other events: the hello tells of them. */
  | { readonly type: 'values-adopted'; readonly stimulusId: StimulusId; readonly values: readonly Holding[] }
  /** What the store had of these on disk is not what was written. They are gone from it. */
  | { readonly type: 'values-lost'; readonly stimulusId: StimulusId; readonly keys: readonly TaskKey[] }
  /** The worker's memory limit changed while it runs, and with it how much may be on its way here. */
  | {
      readonly type: 'limit-changed';
      readonly stimulusId: StimulusId;
      readonly transferBytesMax: number | false;
    }
  /** Memory pressure, or an operator: start nothing, fetch nothing; or go on. */
  | { readonly type: 'status-change'; readonly stimulusId: StimulusId; readonly status: WorkerStatus }
  /** Which tasks may start: credit for what they will produce (architecture.md D7). */
  | { readonly type: 'set-admission'; readonly stimulusId: StimulusId; readonly admission: Admission }
  /** What the results of running tasks may come to add to process memory; `false`: any amount. */
  | { readonly type: 'set-room'; readonly stimulusId: StimulusId; readonly roomBytes: number | false }
  /** Paused for long enough: what has not started goes back, and what comes until the worker runs again too. */
  | { readonly type: 'hand-back-unstarted'; readonly stimulusId: StimulusId }
  /** A session was begun after another was lost: the scheduler takes the worker for running. */
  | { readonly type: 'session-begun'; readonly stimulusId: StimulusId }
  /** The scheduler does not know our session any more: everything unfinished is void; what is in memory stays. */
  | { readonly type: 'session-lost'; readonly stimulusId: StimulusId };
