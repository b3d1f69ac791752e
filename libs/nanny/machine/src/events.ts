import type { StimulusId, WorkerId } from '@spillway/kernel';

/** Everything that can happen to a nanny. A slot is a place for one worker; `slot` counts from 0. */
export type NannyEvent =
  /** Start all slots. */
  | { readonly type: 'start'; readonly stimulusId: StimulusId }
  | {
      readonly type: 'worker-spawned';
      readonly stimulusId: StimulusId;
      readonly slot: number;
      readonly workerId: WorkerId;
      readonly pid: number;
    }
  /** The worker says it is registered with the scheduler. */
  | {
      readonly type: 'worker-ready';
      readonly stimulusId: StimulusId;
      readonly slot: number;
      readonly workerId: WorkerId;
    }
  /** The control loop of the worker turns: it says so with each of its heartbeats. */
  | {
      readonly type: 'worker-alive';
      readonly stimulusId: StimulusId;
      readonly slot: number;
      readonly workerId: WorkerId;
    }
  /** The worker says it will end, and why, so that its exit is not taken for a crash. */
  | {
      readonly type: 'worker-recycling';
      readonly stimulusId: StimulusId;
      readonly slot: number;
      readonly workerId: WorkerId;
      readonly reason: string;
    }
  /** The worker has been retired and ends; nothing is started in its place. */
  | {
      readonly type: 'worker-retired';
      readonly stimulusId: StimulusId;
      readonly slot: number;
      readonly workerId: WorkerId;
      readonly reason: string;
      /** What it has on disk is for a later life of this nanny. */
      readonly leavesValues: boolean;
    }
  | {
      readonly type: 'worker-exited';
      readonly stimulusId: StimulusId;
      readonly slot: number;
      readonly workerId: WorkerId;
      readonly code: number | null;
      readonly signal: string | null;
      readonly stderrTail: string;
      readonly startError?: string;
      /** The kernel has ended processes of this control group for want of memory since the exit before. */
      readonly didKernelRunOut: boolean;
    }
  /** Outcome of `sample-worker`; `undefined`: there is no such process any more. */
  | {
      readonly type: 'worker-sampled';
      readonly stimulusId: StimulusId;
      readonly workerId: WorkerId;
      readonly processBytes: number | undefined;
    }
  /** What each worker may use has changed. */
  | { readonly type: 'limit-changed'; readonly stimulusId: StimulusId; readonly limitBytes: number | false }
  /** Somebody (scheduler, operator) wants this worker replaced. Unknown workers are ignored. */
  | {
      readonly type: 'restart-worker';
      readonly stimulusId: StimulusId;
      readonly workerId: WorkerId;
      readonly reason: string;
    }
  /** An operator ends the quarantine of a slot, by the name of its workers. Others are ignored. */
  | {
      readonly type: 'release-worker';
      readonly stimulusId: StimulusId;
      readonly workerName: string;
      readonly reason: string;
    }
  /**
   * SIGTERM, SIGINT, or the scheduler said so: end all workers in order, then finish. `retireMs`: they may take this long to
   * have what only they have copied; without it they close at once, also when they were asked to retire before.
   */
  | {
      readonly type: 'stop';
      readonly stimulusId: StimulusId;
      readonly reason: string;
      readonly retireMs?: number;
    }
  | { readonly type: 'tick'; readonly stimulusId: StimulusId };
