import type { ClientId, ModuleHash, StimulusId, TaskKey, WorkerId } from '@spillway/kernel';
import type {
  JournalRecord,
  RetirementReport,
  SchedulerToClient,
  SchedulerToWorker,
} from '@spillway/messages';

/** Everything the scheduler machine can ask of its runtime. Performed in order; none has an outcome event. */
export type SchedulerInstruction =
  /** Write these down. Comes first among the instructions of an event. */
  | { readonly type: 'journal'; readonly records: readonly JournalRecord[] }
  /** `isBinding`: not before everything that was to be written down is durable; what comes after it waits too. */
  | {
      readonly type: 'send-to-worker';
      readonly workerId: WorkerId;
      readonly message: SchedulerToWorker;
      readonly isBinding?: true;
    }
  | {
      readonly type: 'send-to-client';
      readonly clientId: ClientId;
      readonly message: SchedulerToClient;
      readonly isBinding?: true;
    }
  /**
   * This process shall end, registered or not: another of its name has replaced it, or it is taken for dead. Tell it to
   * close, and end its session; nothing it says counts any more.
   */
  | {
      readonly type: 'end-worker-session';
      readonly stimulusId: StimulusId;
      readonly workerId: WorkerId;
      readonly reason: string;
      /** It has been retired: nothing shall take its place, or a successor that takes over what it leaves on disk. */
      readonly retired?: { readonly leavesValues: boolean };
    }
  /** A worker has retired, or died while it was about to. */
  | {
      readonly type: 'retirement-ended';
      readonly stimulusId: StimulusId;
      readonly report: RetirementReport;
    }
  /** The client's lease is over and everything it held is released: drop its session. */
  | { readonly type: 'forget-client'; readonly stimulusId: StimulusId; readonly clientId: ClientId }
  /** No task refers to these bundles any more (the runtime may keep them for a while). */
  | {
      readonly type: 'forget-modules';
      readonly stimulusId: StimulusId;
      readonly moduleHashes: readonly ModuleHash[];
    }
  /** A state change worth a line in the log and the event list. */
  | {
      readonly type: 'log-event';
      readonly stimulusId: StimulusId;
      readonly event: SchedulerLogEvent;
      readonly fields: Readonly<Record<string, string | number | boolean>>;
      readonly keys?: readonly TaskKey[];
    };

/** Stable names of the scheduler's log events (conventions L03). */
export type SchedulerLogEvent =
  | 'scheduler.recovered'
  | 'scheduler.recovery-ended'
  | 'worker.registered'
  | 'worker.refused'
  | 'worker.lost'
  | 'worker.paused'
  | 'worker.resumed'
  | 'worker.retiring'
  | 'worker.retired'
  | 'worker.retirement-blocked'
  | 'cluster.draining'
  | 'cluster.memory-stuck'
  | 'task.recomputed'
  | 'task.awaited'
  | 'task.erred'
  | 'task.suspicious'
  | 'data.lost'
  | 'graph.accepted'
  | 'graph.refused'
  | 'client.connected'
  | 'client.lease-started'
  | 'client.forgotten';
