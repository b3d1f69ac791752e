import type { StimulusId, WorkerId } from '@spillway/kernel';
import type { NannyToScheduler } from '@spillway/messages';

/** Everything the nanny machine can ask of its runtime. */
export type NannyInstruction =
  /** Ends in `worker-spawned`, later `worker-exited`; or at once in `worker-exited` with `startError`. */
  | {
      readonly type: 'spawn-worker';
      readonly stimulusId: StimulusId;
      readonly slot: number;
      readonly workerId: WorkerId;
      readonly name: string;
    }
  /** Ask the worker over IPC to close in order. */
  | {
      readonly type: 'ask-worker-to-close';
      readonly stimulusId: StimulusId;
      readonly slot: number;
      readonly workerId: WorkerId;
      readonly reason: string;
      /** The next one takes over what this one has on disk. */
      readonly leavesValues: boolean;
    }
  /** Ask the worker over IPC to retire: it closes by itself. */
  | {
      readonly type: 'ask-worker-to-retire';
      readonly stimulusId: StimulusId;
      readonly slot: number;
      readonly workerId: WorkerId;
      readonly reason: string;
      readonly deadlineMs: number;
      /** The next one takes over what it can: nothing is copied. */
      readonly leavesAll: boolean;
    }
  | {
      readonly type: 'kill-worker';
      readonly stimulusId: StimulusId;
      readonly slot: number;
      readonly workerId: WorkerId;
    }
  /** Look at the process memory of a worker. Ends in `worker-sampled`. */
  | {
      readonly type: 'sample-worker';
      readonly stimulusId: StimulusId;
      readonly workerId: WorkerId;
      readonly pid: number;
    }
  | { readonly type: 'send-to-scheduler'; readonly message: NannyToScheduler }
  | {
      readonly type: 'log-event';
      readonly stimulusId: StimulusId;
      readonly event:
        | 'worker.spawned'
        | 'worker.ready'
        | 'worker.exited'
        | 'worker.restarting'
        | 'worker.killed'
        | 'worker.quarantined';
      readonly level: 'info' | 'warn' | 'error';
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number | boolean>>;
    }
  /** All workers have ended after `stop`. */
  | { readonly type: 'finished'; readonly stimulusId: StimulusId };
