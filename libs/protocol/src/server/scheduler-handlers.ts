import type { ClientId, ModuleHash, SubmissionId, TaskKey, WorkerId } from '@spillway/kernel';
import type {
  ClientHello,
  ClientToScheduler,
  Holder,
  Holding,
  KeyInfo,
  NannyHello,
  NannyToScheduler,
  RetireRequest,
  RetirementReport,
  RunOutcome,
  RunRequest,
  ScatteredData,
  SchedulerToClient,
  SchedulerToNanny,
  SchedulerToWorker,
  TaskSpec,
  WorkerHello,
  WorkerInfo,
  WorkerToScheduler,
} from '@spillway/messages';
import type { Link, LinkListener } from '@spillway/ports';
import type { KeyOutcome } from '../to-wire/queries.js';

/**
 * What the scheduler's service asks of the scheduler. Arguments are validated and bounded. A `SpillwayError` that is
 * thrown becomes the status of the call; anything else is a mistake of ours.
 */
export interface SchedulerHandlers {
  /** A session begins; throw to refuse it. The link may be used at once. */
  openClient(hello: ClientHello, link: Link<SchedulerToClient>): LinkListener<ClientToScheduler>;
  openWorker(hello: WorkerHello, link: Link<SchedulerToWorker>): LinkListener<WorkerToScheduler>;
  openNanny(hello: NannyHello, link: Link<SchedulerToNanny>): LinkListener<NannyToScheduler>;
  /** The bytes are complete and match the hash. */
  storeModule(hash: ModuleHash, bytes: Uint8Array): Promise<void>;
  findModule(hash: ModuleHash): Uint8Array | undefined;
  /** Keys that are not known: state `forgotten`, no holders. */
  describeKeys(keys: readonly TaskKey[]): readonly KeyInfo[];
  listWorkers(): readonly WorkerInfo[];
  /** `undefined` for an unknown worker. */
  hasWhat(workerId: WorkerId): readonly Holding[] | undefined;
  /** Throws `NoValidWorkerError`. */
  planScatter(nbytes: number, copies: number, workers: readonly string[]): readonly Holder[];
  /**
   * How far the workers have come, again and again, last how each of them ended. Throws `UnknownWorkerError`, or
   * `InvalidArgumentError` for no workers.
   */
  retireWorkers(request: RetireRequest, signal: AbortSignal): AsyncIterable<readonly RetirementReport[]>;
  /** The ids of the workers that end. Throws the same, and `NoNannyError`. */
  restartWorkers(workers: readonly string[], reason: string): readonly WorkerId[];
  runOnWorkers(
    request: RunRequest,
    workers: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly { readonly workerId: WorkerId; readonly outcome: RunOutcome }[]>;
  /** The next six are for clients without a control stream. Parts are taken as fast as they are asked for. */
  submitGraph(
    clientId: ClientId,
    submissionId: SubmissionId,
    parts: AsyncIterable<readonly TaskSpec[]>,
    wants: readonly TaskKey[],
  ): Promise<void>;
  waitForKeys(
    clientId: ClientId,
    keys: readonly TaskKey[],
    signal: AbortSignal,
  ): Promise<readonly KeyOutcome[]>;
  /** At least one holder. Throws `KeyConflictError`, or `LostDataError` when none of the holders is there any more. */
  registerData(clientId: ClientId, data: ScatteredData, signal: AbortSignal): Promise<void>;
  releaseKeys(clientId: ClientId, keys: readonly TaskKey[]): void;
  cancelKeys(clientId: ClientId, keys: readonly TaskKey[], force: boolean): void;
  closeClient(clientId: ClientId): void;
}
