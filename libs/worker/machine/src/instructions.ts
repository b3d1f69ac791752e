import type { RunId, StimulusId, TaskKey, WorkerId } from '@spillway/kernel';
import type { TaskSpec, WorkerToScheduler } from '@spillway/messages';

/** Everything the worker machine can ask of its runtime. Performed in order. */
export type WorkerInstruction =
  /** Ends in `execute-success`, `execute-failure` or `execute-stopped`. Inputs are in the store. */
  | {
      readonly type: 'execute';
      readonly stimulusId: StimulusId;
      readonly slot: number;
      readonly key: TaskKey;
      readonly runId: RunId;
      readonly attempt: number;
      readonly spec: TaskSpec;
    }
  /** Ends in `execute-stopped`, or in the outcome that was already under way. */
  | {
      readonly type: 'stop-execution';
      readonly stimulusId: StimulusId;
      readonly slot: number;
      readonly key: TaskKey;
      readonly runId: RunId;
      readonly reason: 'cancelled' | 'timeout' | 'out-of-memory';
    }
  /** Ends in `gather-success`, `gather-busy` or `gather-network-failure`. One at a time per peer. */
  | {
      readonly type: 'gather-dependencies';
      readonly stimulusId: StimulusId;
      readonly peerId: WorkerId;
      readonly address: string;
      readonly keys: readonly { readonly key: TaskKey; readonly nbytes: number }[];
    }
  /** Break off with a peer that is gone; the gather under way, if any, still reports its outcome. */
  | { readonly type: 'forget-peer'; readonly stimulusId: StimulusId; readonly peerId: WorkerId }
  /** Drop from every tier of the store. No outcome. */
  | { readonly type: 'free-values'; readonly stimulusId: StimulusId; readonly keys: readonly TaskKey[] }
  | { readonly type: 'send-to-scheduler'; readonly message: WorkerToScheduler }
  /** End this process as soon as what was sent is out; the nanny starts another. */
  | { readonly type: 'recycle-worker'; readonly stimulusId: StimulusId; readonly reason: string };
