/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
/** Everything a client, worker or operator asks the scheduler outside its control stream. */
import type { ClientId, ModuleHash, TaskKey, WorkerId } from '@spillway/kernel';
import { asWorkerId, LimitExceededError, UnknownWorkerError } from '@spillway/kernel';
import {
  MODULE_BYTES_MAX,
  type Holder,
  type Holding,
  type KeyInfo,
  type RetireRequest,
  type RetirementReport,
  type RunRequest,
  type ScatteredData,
  type WorkerInfo,
} from '@spillway/messages';
import { spillway } from '@spillway/proto';
import { each, text } from '../from-wire/checks.js';
import { keyInfo, workerInfo, workerRunOutcome, type WorkerRunOutcome } from '../from-wire/queries.js';
import { holder, holding } from '../from-wire/values.js';
import { chunksOf } from '../server/module-calls.js';
import { retirementReport } from '../retirement-reports.js';
import { durationFromMs, texts } from '../to-wire/scalars.js';
import { runRequestToWire } from '../to-wire/values.js';
import { Caller, type CallerOptions, type CallOptions } from './caller.js';

const wire = spillway.v1;
const methods = wire.SchedulerService.prototype;
/** Keys asked about in one call, so that answers stay far below the largest message. */
const KEYS_PER_CALL_MAX = 2000;

/**
 * Every call has a deadline, can be aborted (rejecting with the signal's reason), and rejects with `SpillwayError`s:
 * `ClusterUnreachableError` when there is no connection, `DeadlineExceededError`, or what the scheduler said.
 */
export class SchedulerQueries {
  readonly #caller: Caller;

  constructor(options: CallerOptions) {
    this.#caller = new Caller(options);
  }

  /** In the order asked. */
  async describeKeys(keys: readonly TaskKey[], options: CallOptions = {}): Promise<readonly KeyInfo[]> {
    const infos: KeyInfo[] = [];
    for (let start = 0; start < keys.length; start += KEYS_PER_CALL_MAX) {
      const message = { keys: texts(keys.slice(start, start + KEYS_PER_CALL_MAX)) };
      const response = await this.#caller.unary(
        methods.describeKeys,
        { codec: wire.DescribeKeysRequest, message },
        wire.DescribeKeysResponse,
        options,
      );
      infos.push(...each(response.keys, 'keys', keyInfo));
    }
    return infos;
  }

  async listWorkers(options: CallOptions = {}): Promise<readonly WorkerInfo[]> {
    const workers: WorkerInfo[] = [];
    let pageToken = '';
    do {
      const response = await this.#caller.unary(
        methods.listWorkers,
        { codec: wire.ListWorkersRequest, message: { pageSize: 0, pageToken } },
        wire.ListWorkersResponse,
        options,
      );
      workers.push(...each(response.workers, 'workers', workerInfo));
      pageToken = response.nextPageToken;
    } while (pageToken !== '');
    return workers;
  }

  /** `undefined` for a worker that is not registered. */
  async hasWhat(workerId: WorkerId, options: CallOptions = {}): Promise<readonly Holding[] | undefined> {
    const holdings: Holding[] = [];
    let pageToken = '';
    try {
      do {
        const response = await this.#caller.unary(
          methods.hasWhat,
          { codec: wire.HasWhatRequest, message: { workerId, pageSize: 0, pageToken } },
          wire.HasWhatResponse,
          options,
        );
        for (const one of each(response.holdings, 'holdings', holding)) holdings.push(one);
        pageToken = response.nextPageToken;
      } while (pageToken !== '');
    } catch (error) {
      if (error instanceof UnknownWorkerError) return undefined;
      throw error;
    }
    return holdings;
  }

  /** Rejects with `NoValidWorkerError`. */
  async planScatter(
    nbytes: number,
    copies: number,
    workers: readonly string[],
    options: CallOptions = {},
  ): Promise<readonly Holder[]> {
    const response = await this.#caller.unary(
      methods.planScatter,
      { codec: wire.PlanScatterRequest, message: { nbytes, copies, workers: texts(workers) } },
      wire.PlanScatterResponse,
      options,
    );
    return each(response.holders, 'holders', holder);
  }

  /** For a client without a control stream. Rejects with `KeyConflictError`, or `LostDataError` without any holder left. */
  async registerData(clientId: ClientId, data: ScatteredData, options: CallOptions = {}): Promise<void> {
    const message = { clientId, key: data.key, nbytes: data.nbytes, holders: texts(data.holders) };
    await this.#caller.unary(
      methods.registerData,
      { codec: wire.RegisterDataRequest, message },
      wire.RegisterDataResponse,
      options,
    );
  }

  /** The call's own deadline is the request's timeout and the usual one on top. */
  async runOnWorkers(
    request: RunRequest,
    workers: readonly string[],
    options: CallOptions = {},
  ): Promise<readonly WorkerRunOutcome[]> {
    const response = await this.#caller.unary(
      methods.runOnWorkers,
      {
        codec: wire.RunOnWorkersRequest,
        message: { request: runRequestToWire(request), workers: texts(workers) },
      },
      wire.RunOnWorkersResponse,
      { timeoutMs: runTimeoutMs(request), ...options },
    );
    return each(response.outcomes, 'outcomes', workerRunOutcome);
  }

  /**
   * Tells how far the workers have come, each second, and resolves with how each of them ended. Rejects with
   * `UnknownWorkerError`. The call's own deadline is far beyond that of the workers.
   */
  async retireWorkers(
    { workers, deadlineMs, reason }: RetireRequest,
    onProgress: (reports: readonly RetirementReport[]) => void,
    options: CallOptions = {},
  ): Promise<readonly RetirementReport[]> {
    let last: readonly RetirementReport[] = [];
    await this.#caller.serverStream(
      methods.retireWorkers,
      {
        codec: wire.RetireWorkersRequest,
        message: {
          workers: texts(workers),
          reason,
          deadline: deadlineMs === undefined ? null : durationFromMs(deadlineMs),
        },
      },
      wire.RetireWorkersResponse,
      ({ reports }) => {
        last = each(reports, 'reports', retirementReport);
        onProgress(last);
      },
      { timeoutMs: UNBOUNDED_RUN_MS, ...options },
    );
    return last;
  }

  /** The ids of the workers that end. Rejects with `UnknownWorkerError` and `NoNannyError`. */
  async restartWorkers(
    workers: readonly string[],
    reason: string,
    options: CallOptions = {},
  ): Promise<readonly WorkerId[]> {
    const response = await this.#caller.unary(
      methods.restartWorkers,
      { codec: wire.RestartWorkersRequest, message: { workers: texts(workers), reason } },
      wire.RestartWorkersResponse,
      options,
    );
    return each(response.workerIds, 'worker_ids', (id) => asWorkerId(text(id, 'worker_id')));
  }

  async hasModule(moduleHash: ModuleHash, options: CallOptions = {}): Promise<boolean> {
    const response = await this.#caller.unary(
      methods.hasModule,
      { codec: wire.HasModuleRequest, message: { moduleHash } },
      wire.HasModuleResponse,
      options,
    );
    return response.stored;
  }

  /** Rejects with `InvalidArgumentError` when the bytes do not have this hash. */
  async uploadModule(moduleHash: ModuleHash, bytes: Uint8Array, options: CallOptions = {}): Promise<void> {
    const parts = chunksOf(bytes).map((chunk, index) => ({
      moduleHash: index === 0 ? moduleHash : '',
      chunk,
    }));
    await this.#caller.clientStream(
      methods.uploadModule,
      { codec: wire.UploadModuleRequest, parts },
      wire.UploadModuleResponse,
      { timeoutMs: TRANSFER_TIMEOUT_MS, ...options },
    );
  }

  /** Rejects with `FunctionNotFoundError` for a hash nobody uploaded. */
  async fetchModule(moduleHash: ModuleHash, options: CallOptions = {}): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    await this.#caller.serverStream(
      methods.fetchModule,
      { codec: wire.FetchModuleRequest, message: { moduleHash } },
      wire.FetchModuleResponse,
      ({ chunk }) => {
        length += chunk.length;
        if (length > MODULE_BYTES_MAX) throw new LimitExceededError('The module is larger than any may be.');
        chunks.push(chunk);
      },
      { timeoutMs: TRANSFER_TIMEOUT_MS, ...options },
    );
    return Buffer.concat(chunks, length);
  }

  close(): void {
    this.#caller.close();
  }
}

const TRANSFER_TIMEOUT_MS = 120_000;
/** Added to the function's own timeout, or the whole when it has none. */
const RUN_MARGIN_MS = 30_000;
const UNBOUNDED_RUN_MS = 24 * 60 * 60_000;

const runTimeoutMs = ({ timeoutMs }: RunRequest): number =>
  timeoutMs === false ? UNBOUNDED_RUN_MS : timeoutMs + RUN_MARGIN_MS;
