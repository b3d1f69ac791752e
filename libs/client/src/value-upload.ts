/** Puts values into the cluster: straight to the workers that the scheduler chose, or through its relay. */
import { NoValidWorkerError, UnavailableError, type SpillwayError, type TaskKey } from '@spillway/kernel';
import type { ClientToScheduler, Holder, Payload } from '@spillway/messages';
import type { Timers } from '@spillway/ports';
import type { ClusterConnection } from './cluster-connection.js';
import { pauseFor, type TransferSettings } from './transfers.js';

export type DataScattered = Extract<ClientToScheduler, { type: 'data-scattered' }>;
/** What a client puts nobody can make again: a copy more, where there is a second worker, survives the death of one. */
export const SCATTERED_COPIES = 2;

export interface UploadOptions {
  readonly copies: number;
  readonly workers: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

export class ValueUpload {
  constructor(
    private readonly connection: ClusterConnection,
    private readonly transfers: TransferSettings,
    private readonly timers: Timers,
    /** Tells the scheduler. */
    private readonly onPlaced: (message: DataScattered) => void,
  ) {}

  /**
   * Puts the value on the chosen workers and tells the scheduler, which takes it as wanted by this client.
   * Rejects when no worker took it: `NoValidWorkerError` when there is none, else the last worker's reason.
   */
  async place(key: TaskKey, payload: Payload, options: UploadOptions): Promise<readonly Holder[]> {
    const planned = await this.#plan(payload.data.byteLength, options);
    const results = await Promise.allSettled(
      planned.map((holder) => this.#put(holder, key, payload, options)),
    );
    const holders = planned.filter((_, index) => results[index]?.status === 'fulfilled');
    if (holders.length === 0) {
      options.signal?.throwIfAborted();
      throw lastReason(results);
    }
    this.onPlaced({
      type: 'data-scattered',
      key,
      nbytes: payload.data.byteLength,
      holders: holders.map((holder) => holder.workerId),
    });
    return holders;
  }

  /** Workers may still be starting: asks again until one is there or the patience is over. */
  async #plan(nbytes: number, { copies, workers, signal }: UploadOptions): Promise<readonly Holder[]> {
    const { clock, workerWaitMs, retryMs } = this.transfers;
    const giveUpAtMs = clock.nowMs() + workerWaitMs;
    for (;;) {
      try {
        return await this.connection.planScatter(
          nbytes,
          copies,
          workers,
          signal === undefined ? {} : { signal },
        );
      } catch (error) {
        const mayCome = error instanceof NoValidWorkerError || error instanceof UnavailableError;
        if (!mayCome || clock.nowMs() >= giveUpAtMs) throw error;
      }
      await pauseFor(this.timers, retryMs, signal);
    }
  }

  async #put(holder: Holder, key: TaskKey, payload: Payload, { signal }: UploadOptions): Promise<void> {
    const { reachability } = this.transfers;
    const value = { key, payload };
    const bounds = { idleMs: this.transfers.idleMs, ...(signal === undefined ? {} : { signal }) };
    if (reachability.routeTo(holder.address) === 'direct') {
      try {
        await this.connection.put('direct', holder, value, bounds);
        return;
      } catch (error) {
        signal?.throwIfAborted();
        if (!isUnreachable(error)) throw error;
        reachability.failed(holder.address);
      }
    }
    await this.connection.put('relay', holder, value, bounds);
  }
}

/** A worker that answers and refuses is no matter of the way to it. */
function isUnreachable(error: unknown): boolean {
  const code = (error as Partial<SpillwayError> | null)?.code;
  return code === 'CLUSTER_UNREACHABLE' || code === 'DEADLINE_EXCEEDED' || code === 'UNAVAILABLE';
}

function lastReason(results: readonly PromiseSettledResult<void>[]): unknown {
  const last = results.findLast((result) => result.status === 'rejected');
  return last?.reason ?? new NoValidWorkerError('The scheduler named no worker to put the value on.');
}
