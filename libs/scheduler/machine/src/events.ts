import type { ClientId, NannyId, StimulusId, SubmissionId, TaskKey, WorkerId } from '@spillway/kernel';
import type {
  ClientToScheduler,
  JournalRecord,
  NannyHello,
  TaskSpec,
  Verdict,
  WorkerHello,
  WorkerToScheduler,
} from '@spillway/messages';

/** Everything that can happen to the scheduler's graph. Messages are events of the same name, plus who said it. */
export type SchedulerEvent =
  | ClientEvent
  | WorkerEvent
  /** First of all, with a journal: what the lives before come to, in as few records as it takes. */
  | { readonly type: 'recover'; readonly stimulusId: StimulusId; readonly records: Iterable<JournalRecord> }
  /**
   * Somebody wants these workers to leave: gone at the latest after `deadlineMs` (the setting when absent). Unknown ones are
   * ignored. Each ends in one `retirement-ended`.
   */
  | {
      readonly type: 'retire-workers';
      readonly stimulusId: StimulusId;
      readonly workerIds: readonly WorkerId[];
      readonly reason: string;
      readonly deadlineMs?: number;
    }
  /** Time has reached `nextWakeMs`. */
  | { readonly type: 'tick'; readonly stimulusId: StimulusId };

export type ClientEvent =
  /** A session begins, or a client whose lease still runs comes back. */
  | {
      readonly type: 'client-connected';
      readonly stimulusId: StimulusId;
      readonly clientId: ClientId;
      /** It goes on after another life of the scheduler has begun, and will say what it wants (`client-resumes`). */
      readonly isBack?: boolean;
    }
  /** The session ended without a good-bye: the lease starts to run out. */
  | { readonly type: 'client-disconnected'; readonly stimulusId: StimulusId; readonly clientId: ClientId }
  /** A part of a graph: staged, checked, nothing runs. */
  | {
      readonly type: 'graph-part';
      readonly stimulusId: StimulusId;
      readonly clientId: ClientId;
      readonly submissionId: SubmissionId;
      readonly partIndex: number;
      readonly tasks: readonly TaskSpec[];
      readonly wants?: readonly TaskKey[];
    }
  | ({ readonly stimulusId: StimulusId; readonly clientId: ClientId } & Extract<
      ClientToScheduler,
      {
        type:
          | 'graph-commit'
          | 'client-desires-keys'
          | 'client-resumes'
          | 'client-releases-keys'
          | 'cancel-keys'
          | 'retry-keys'
          | 'data-scattered'
          | 'client-closing';
      }
    >);

export type WorkerEvent =
  | { readonly type: 'worker-registered'; readonly stimulusId: StimulusId; readonly hello: WorkerHello }
  /**
   * The worker is gone for good: its nanny said so (`verdict`), or its session was not resumed in time.
   * `onPurpose`: it said good-bye, or was told to close; nobody is charged.
   */
  | {
      readonly type: 'worker-lost';
      readonly stimulusId: StimulusId;
      readonly workerId: WorkerId;
      readonly onPurpose: boolean;
      readonly verdict?: Verdict;
      /** Its successor takes over what it had on disk: what is lost with it is waited for. */
      readonly leavesValues?: boolean;
    }
  | NannyEvent
  | ({ readonly workerId: WorkerId } & Exclude<WorkerToScheduler, { type: 'run-done' | 'worker-closing' }>);

export type NannyEvent =
  /** A session of a nanny begins. */
  | { readonly type: 'nanny-registered'; readonly stimulusId: StimulusId; readonly hello: NannyHello }
  /** Its connection is down, or up again; its session goes on. */
  | { readonly type: 'nanny-disconnected'; readonly stimulusId: StimulusId; readonly nannyId: NannyId }
  | { readonly type: 'nanny-resumed'; readonly stimulusId: StimulusId; readonly nannyId: NannyId }
  /** Its session is over. Its workers end by themselves when they miss it, and are lost then. */
  | { readonly type: 'nanny-lost'; readonly stimulusId: StimulusId; readonly nannyId: NannyId };

/** For callers that make events of keys. */
export type KeyList = readonly TaskKey[];
