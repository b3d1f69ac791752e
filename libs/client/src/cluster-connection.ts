/**
 * Everything the client can ask of a cluster, in one place: the control stream, the scheduler's queries and the
 * workers' data services. The logic of the client stands on this and never on gRPC, so that tests hand it a cluster
 * in memory. The real one is in grpc-connection.ts.
 */
import type { ClientId, ModuleHash, SpillwayError, TaskKey, WorkerId } from '@spillway/kernel';
import type {
  ClientToScheduler,
  Holder,
  Holding,
  KeyInfo,
  RetireRequest,
  RetirementReport,
  RunOutcome,
  RunRequest,
  SchedulerToClient,
  WorkerInfo,
} from '@spillway/messages';
import type { ArrivedValue, GatherOutcome } from '@spillway/ports';

/** How far one query or transfer may go. */
export interface QueryOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** The way a value takes: straight to or from the worker, or through the scheduler (architecture.md D4). */
export type Route = 'direct' | 'relay';

export interface TransferOptions {
  readonly signal?: AbortSignal;
  /** Longest silence of the other end, the connecting included. */
  readonly idleMs: number;
}

export interface KeyWithSize {
  readonly key: TaskKey;
  readonly nbytes: number;
}

export interface ClusterConnection {
  /** One session; keys are wanted and released by it. */
  readonly clientId: ClientId;
  /** Messages arrive once, in order, also across a short loss of the connection. */
  send(message: ClientToScheduler): void;
  /** What was said and has not been acknowledged. */
  readonly backlogBytes: number;
  describeKeys(keys: readonly TaskKey[], options?: QueryOptions): Promise<readonly KeyInfo[]>;
  listWorkers(options?: QueryOptions): Promise<readonly WorkerInfo[]>;
  /** `undefined` for a worker that is not registered. */
  hasWhat(workerId: WorkerId, options?: QueryOptions): Promise<readonly Holding[] | undefined>;
  planScatter(
    nbytes: number,
    copies: number,
    workers: readonly string[],
    options?: QueryOptions,
  ): Promise<readonly Holder[]>;
  runOnWorkers(
    request: RunRequest,
    workers: readonly string[],
    options?: QueryOptions,
  ): Promise<readonly { readonly workerId: WorkerId; readonly outcome: RunOutcome }[]>;
  /** Resolves with how each worker ended. */
  retireWorkers(
    request: RetireRequest,
    onProgress: (reports: readonly RetirementReport[]) => void,
    options?: QueryOptions,
  ): Promise<readonly RetirementReport[]>;
  /** The ids of the workers that end. */
  restartWorkers(
    workers: readonly string[],
    reason: string,
    options?: QueryOptions,
  ): Promise<readonly WorkerId[]>;
  hasModule(hash: ModuleHash, options?: QueryOptions): Promise<boolean>;
  uploadModule(hash: ModuleHash, bytes: Uint8Array, options?: QueryOptions): Promise<void>;
  /** Never rejects for what the world does; see `GatherOutcome`. */
  fetch(
    route: Route,
    holder: Holder,
    keys: readonly KeyWithSize[],
    options: TransferOptions,
  ): Promise<GatherOutcome>;
  /** Rejects when the worker refuses the value or cannot be reached. */
  put(route: Route, holder: Holder, value: ArrivedValue, options: TransferOptions): Promise<void>;
  /** Says good-bye and frees every connection. */
  close(): Promise<void>;
}

/** What a connection tells its client. */
export interface ConnectionListener {
  onMessages(messages: readonly SchedulerToClient[]): void;
  /**
   * Another life of the scheduler, which knows of this client what its journal says: nothing that was said to the one before
   * and not answered is sure to have been heard.
   */
  onSessionBegun(): void;
  /** The session is over and will not come back; `undefined` when the scheduler closed it. */
  onEnded(error: SpillwayError | undefined): void;
}
