import type { WorkerId } from '@spillway/kernel';

/** The bounds and waits of a worker machine; the runtime fills them from the settings. */
export interface WorkerMachineLimits {
  /** Most bytes in one gather; the first key of a gather goes whatever its size. */
  readonly gatherMessageBytesMax: number;
  /** Most peers that are asked at the same time. */
  readonly gatherPeersMax: number;
  /** How long a peer that answered `busy` is left alone. */
  readonly busyRestMs: number;
  /**
   * How often in a row a peer may be unreachable before its copies are reported missing. Until then it rests, twice as
   * long each time: a passing failure between two workers must not cost the only copy of a value.
   */
  readonly peerFailuresMax: number;
  /** Most expected work in one slot's thread, its head included, when a task is handed over behind others. */
  readonly handOverMs: number;
  /** Most tasks in one slot's thread. */
  readonly handOverCountMax: number;
  /** How long to wait for the scheduler's answer, or for a holder to appear, before asking again. */
  readonly whoHasRetryMs: number;
  /**
   * How long after a value was put here its key is announced to the scheduler, in case whoever put it did not. Longer than
   * a client's words may take, which is the lease of clients: what the scheduler does not know it has freed.
   */
  readonly putAnnounceMs: number;
  /** Moves kept for stories. */
  readonly storyEntriesMax: number;
  /** Erred tasks kept for questions; the oldest makes room. */
  readonly erredTasksMax: number;
  /** Check every task's invariant after each event. */
  readonly validate: boolean;
}

export interface WorkerMachineOptions extends WorkerMachineLimits {
  readonly workerId: WorkerId;
  readonly slotCount: number;
  /** Most bytes in flight to this worker, at first; `false` for no limit. With nothing in flight, any one key may come. */
  readonly transferBytesMax: number | false;
  /** Of the generator that chooses among equal peers. */
  readonly seed: number;
}

export const DEFAULT_LIMITS: WorkerMachineLimits = {
  gatherMessageBytesMax: 50_000_000,
  gatherPeersMax: 50,
  busyRestMs: 150,
  peerFailuresMax: 4,
  handOverMs: 5,
  handOverCountMax: 64,
  whoHasRetryMs: 1000,
  putAnnounceMs: 60_000,
  storyEntriesMax: 10_000,
  erredTasksMax: 1000,
  validate: false,
};
