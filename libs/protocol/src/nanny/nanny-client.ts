import type { WorkerId } from '@spillway/kernel';
import { spillway } from '@spillway/proto';
import { Caller, type CallerOptions, type CallOptions } from '../queries/caller.js';
import { statusFromWire, type NannyStatus } from './nanny-messages.js';

const wire = spillway.v1;
const methods = wire.NannyService.prototype;

/** Asks one nanny. Calls have deadlines and reject like those of `SchedulerQueries`. */
export class NannyClient {
  readonly #caller: Caller;

  constructor(options: CallerOptions) {
    this.#caller = new Caller(options);
  }

  async getStatus(options: CallOptions = {}): Promise<NannyStatus> {
    const request = { codec: wire.GetStatusRequest, message: {} };
    return statusFromWire(
      await this.#caller.unary(methods.getStatus, request, wire.GetStatusResponse, options),
    );
  }

  /** Rejects with `UnknownWorkerError` for a worker that is not this nanny's. */
  async restartWorker(workerId: WorkerId, reason: string, options: CallOptions = {}): Promise<void> {
    const request = { codec: wire.RestartWorkerRequest, message: { workerId, reason } };
    await this.#caller.unary(methods.restartWorker, request, wire.RestartWorkerResponse, options);
  }

  /** Rejects with `UnknownWorkerError` for a worker that is not in quarantine there. */
  async releaseWorker(workerName: string, reason: string, options: CallOptions = {}): Promise<void> {
    const request = { codec: wire.ReleaseWorkerRequest, message: { workerName, reason } };
    await this.#caller.unary(methods.releaseWorker, request, wire.ReleaseWorkerResponse, options);
  }

  /** Resolves when the nanny has begun to stop. */
  async stop(reason: string, options: CallOptions = {}): Promise<void> {
    const request = { codec: wire.StopNannyRequest, message: { reason } };
    await this.#caller.unary(methods.stopNanny, request, wire.StopNannyResponse, options);
  }

  close(): void {
    this.#caller.close();
  }
}
