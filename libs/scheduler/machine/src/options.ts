import { INLINE_RESULT_BYTES_MAX } from '@spillway/messages';

/** What can be set about the scheduler's decisions. Everything has a default. */
export interface SchedulerMachineOptions {
  /** Deaths of workers a task may be executing through; the next one errs it with `KILLED_WORKER`. Default 3. */
  readonly allowedFailures?: number;
  /** Learned work handed to a worker ahead of need, per thread. Default 10; 0 hands over free slots only. */
  readonly prefetchMs?: number;
  /** Most tasks handed to a worker beyond its slots. Default 128. */
  readonly prefetchCountMax?: number;
  /** How long the keys of a client that vanished are kept. Default 30,000. */
  readonly clientLeaseMs?: number;
  /** How long a task waits for a worker it may run on to exist, before it errs with `NO_VALID_WORKER`. Default off. */
  readonly noWorkersTimeoutMs?: number | false;
  /**
   * How long nothing may move while every worker that could go on is paused for its memory and nothing can free some, before
   * what waits for them errs with `CLUSTER_MEMORY_STUCK`. Default 30,000; off waits for ever.
   */
  readonly memoryStuckTimeoutMs?: number | false;
  /** Where workers are expected to start spilling, as a share of their limit: for placement only. Default 0.6. */
  readonly targetFraction?: number | false;
  /** Where workers are expected to pause. Default 0.8. */
  readonly pauseFraction?: number | false;
  /** How long lost results wait for the successor of their worker, which may have them on disk. Default 10,000. */
  readonly adoptionWaitMs?: number;
  /** How long a scheduler that was started again waits for the workers it knew, before it has anything run. Default 10,000. */
  readonly recoveryWaitMs?: number;
  /** Say with `journal` instructions what a next life needs to know. Default off. */
  readonly journal?: boolean;
  /** How long a worker that retires may take when nobody says otherwise. Default 60,000. */
  readonly retireDeadlineMs?: number;
  /** Most bytes, and most results, that are on their way to one worker because others retire. Default 64 MiB and 100. */
  readonly copyBytesInFlightMax?: number;
  readonly copiesInFlightMax?: number;
  /** What a task of a function never seen is expected to take. Default 500. */
  readonly unknownDurationMs?: number;
  /** What a transfer between workers is expected to reach. Default 400e6. */
  readonly bandwidthBytesPerSecond?: number;
  /** Most steps (about one task each) of committing, placing or forgetting in one `handle`. Default 5,000. */
  readonly commitStepsMax?: number;
  /** Most tasks, or keys wanted with them, one client may have sent without having committed them. Default 2,000,000. */
  readonly stagedTasksMax?: number;
  /** Moves of tasks kept for explanations. Default 10,000. */
  readonly storyEntriesMax?: number;
  /** Largest result that rides to clients inside `key-in-memory`. Default 4 KiB. */
  readonly inlineResultBytesMax?: number;
  /** Check the invariants of every touched task after every event. For tests; costs about half the throughput. */
  readonly validate?: boolean;
  /** Of the machine's own random numbers (ties between equal workers when data is scattered). Default 0. */
  readonly seed?: number;
}

export type ResolvedOptions = Required<SchedulerMachineOptions>;

const DEFAULTS: ResolvedOptions = {
  allowedFailures: 3,
  prefetchMs: 10,
  prefetchCountMax: 128,
  clientLeaseMs: 30_000,
  noWorkersTimeoutMs: false,
  memoryStuckTimeoutMs: 30_000,
  targetFraction: 0.6,
  pauseFraction: 0.8,
  adoptionWaitMs: 10_000,
  recoveryWaitMs: 10_000,
  journal: false,
  retireDeadlineMs: 60_000,
  copyBytesInFlightMax: 64 * 1024 ** 2,
  copiesInFlightMax: 100,
  unknownDurationMs: 500,
  bandwidthBytesPerSecond: 400e6,
  commitStepsMax: 5_000,
  stagedTasksMax: 2_000_000,
  storyEntriesMax: 10_000,
  inlineResultBytesMax: INLINE_RESULT_BYTES_MAX,
  validate: false,
  seed: 0,
};

export function resolveOptions(options: SchedulerMachineOptions): ResolvedOptions {
  return { ...DEFAULTS, ...options };
}
