import type { NannyId, StimulusId, WorkerId } from '@spillway/kernel';

/** First words of a nanny on its control stream. */
export interface NannyHello {
  readonly nannyId: NannyId;
  readonly name: string;
  /** `host:port` of the nanny's own service. */
  readonly address: string;
  readonly pid: number;
  readonly protocol: { readonly major: number; readonly minor: number };
  readonly softwareVersion: string;
  /** Workers of its that are in quarantine now. Absent: none. */
  readonly quarantined?: readonly Quarantine[];
}

/** Workers of one name died too often in too short a time: none is started for a while. */
export interface Quarantine {
  readonly workerName: string;
  /** For people: how many deaths, and of what the last one was. */
  readonly reason: string;
  /** For how long already. */
  readonly forMs: number;
  /** When it ends by itself; `false`: an operator has to release it. */
  readonly releaseInMs: number | false;
}

/** Why a worker process ended (architecture.md D10). */
export type DeathCause =
  | { readonly kind: 'closed' }
  | { readonly kind: 'exit-code'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: string }
  /** V8 ran out of heap and aborted: exit 134 or SIGABRT, with its words on stderr. */
  | { readonly kind: 'heap-exhausted' }
  /** The nanny ended it above terminate. */
  | {
      readonly kind: 'memory-limit';
      readonly processBytes: number;
      readonly terminateBytes: number;
      readonly limitBytes: number;
    }
  /** Its process was there, but its control loop gave no sign of life for longer than it may, so the nanny ended it. */
  | { readonly kind: 'hung'; readonly silentMs: number; readonly ttlMs: number }
  /** The kernel ended it: a control group, or the machine, had no memory left. */
  | { readonly kind: 'kernel-oom' }
  /** The worker asked to be replaced: a native call outlived `cancel-grace`, or memory could not be reclaimed. */
  | { readonly kind: 'recycled'; readonly reason: string }
  /** The process could not be started. */
  | { readonly kind: 'start-failed'; readonly message: string }
  /** It and its nanny are silent: their host, or the way to it, is down. The scheduler's verdict, as are all below. */
  | { readonly kind: 'host-lost' }
  /** Its connection was not resumed; its nanny is there, and has reported no death. The process may live. */
  | { readonly kind: 'unreachable' }
  /** Its connection was not resumed, and it had no nanny. */
  | { readonly kind: 'unwatched' }
  /** Another worker, `by`, has registered under its name. */
  | { readonly kind: 'replaced'; readonly by: string };

/**
 * What is known of a death. Made by the nanny and delivered to the scheduler before it decides; where no nanny says anything in
 * time, made by the scheduler of what heartbeats said. The client has it in its error.
 */
export interface Verdict {
  readonly workerId: WorkerId;
  readonly workerName: string;
  readonly cause: DeathCause;
  /** One line for people: what happened, with numbers. */
  readonly summary: string;
  readonly pid: number | undefined;
  readonly livedMs: number;
  readonly stderrTail: string;
  /** The last looks at its process memory, oldest first; at most 20. The scheduler's are those of heartbeats. */
  readonly samples: readonly MemorySample[];
  /** What was in force when it ended. */
  readonly limitBytes: number | false;
  /** Above it the nanny ends a worker; `false`: at no point. */
  readonly terminateBytes: number | false;
  /** For people: what to do about it. */
  readonly nextStep: string;
}

/** Process memory (RSS) of a worker as its nanny saw it, or as its heartbeats said. */
export interface MemorySample {
  /** How long before the end. */
  readonly beforeEndMs: number;
  readonly processBytes: number;
}

/** What a nanny says to the scheduler. */
export type NannyToScheduler =
  | {
      readonly type: 'worker-spawned';
      readonly stimulusId: StimulusId;
      readonly workerId: WorkerId;
      readonly name: string;
      readonly pid: number;
    }
  | {
      readonly type: 'worker-exited';
      readonly stimulusId: StimulusId;
      readonly verdict: Verdict;
      readonly restartInMs: number | false;
      /** Its successor takes over the values that it had on disk (architecture.md D8). */
      readonly leavesValues: boolean;
    }
  /** No worker of this name for a while: its capacity is withdrawn. */
  | {
      readonly type: 'worker-quarantined';
      readonly stimulusId: StimulusId;
      readonly quarantine: Quarantine;
    }
  /** The quarantine is over; a worker of this name is being started. */
  | {
      readonly type: 'worker-released';
      readonly stimulusId: StimulusId;
      readonly workerName: string;
      readonly reason: string;
    }
  | { readonly type: 'heartbeat'; readonly stimulusId: StimulusId }
  | { readonly type: 'nanny-closing'; readonly stimulusId: StimulusId };

/** What the scheduler says to a nanny. */
export type SchedulerToNanny =
  | {
      readonly type: 'restart-worker';
      readonly stimulusId: StimulusId;
      readonly workerId: WorkerId;
      readonly reason: string;
    }
  | { readonly type: 'close-nanny'; readonly stimulusId: StimulusId; readonly reason: string };

/** What a nanny tells its workers over IPC. */
export type NannyToWorker =
  /** Close in order. `leavesValues`: another worker of this name starts next, and takes over what is on disk. */
  | { readonly type: 'close'; readonly reason: string; readonly leavesValues: boolean }
  /** Have what only it has copied to others, and close when the scheduler says so. It is asked to close when the time is over. */
  | {
      readonly type: 'retire';
      readonly reason: string;
      readonly deadlineMs: number;
      /** Another worker of this name starts next, and takes over what is on disk: nothing is copied. */
      readonly leavesAll: boolean;
    }
  /** The machine or container was resized: what the worker may use from now on. */
  | { readonly type: 'limit-changed'; readonly limitBytes: number };
