/** The service of a nanny, for operators. */
import { asWorkerId, type WorkerId } from '@spillway/kernel';
import type { Logger } from '@spillway/ports';
import { spillway } from '@spillway/proto';
import type { ServerSecurity } from '../channel/security.js';
import { text, words } from '../from-wire/checks.js';
import { CallFactory } from '../server/calls.js';
import { GrpcListener, serviceOf } from '../server/grpc-listener.js';
import { statusToWire, type NannyStatus } from './nanny-messages.js';

const wire = spillway.v1;
const methods = wire.NannyService.prototype;

export const NANNY_SERVICE_NAME = 'spillway.v1.NannyService';

/** A `SpillwayError` that is thrown becomes the status of the call. */
export interface NannyHandlers {
  getStatus(): NannyStatus;
  /** Throws `UnknownWorkerError`. */
  restartWorker(workerId: WorkerId, reason: string): void;
  /** By the name of the worker. Throws `UnknownWorkerError` for one that is not in quarantine here. */
  releaseWorker(workerName: string, reason: string): void;
  /** Begins to end everything; returns at once. */
  stop(reason: string): void;
}

export interface NannyServerOptions {
  /** `host:port`; port 0 for any. */
  readonly address: string;
  readonly handlers: NannyHandlers;
  readonly logger?: Logger;
  readonly reflection?: boolean;
  readonly security?: ServerSecurity;
}

export class NannyServer {
  private constructor(private readonly listener: GrpcListener) {}

  static async listen(options: NannyServerOptions): Promise<NannyServer> {
    const { handlers } = options;
    const calls = new CallFactory(options.logger);
    const service = serviceOf(NANNY_SERVICE_NAME, {
      getStatus: calls.unary(methods.getStatus, wire.GetStatusRequest, wire.GetStatusResponse, () =>
        statusToWire(handlers.getStatus()),
      ),
      restartWorker: calls.unary(
        methods.restartWorker,
        wire.RestartWorkerRequest,
        wire.RestartWorkerResponse,
        (request) => {
          const workerId = asWorkerId(text(request.workerId, 'worker_id'));
          handlers.restartWorker(workerId, words(request.reason, 'reason'));
          return {};
        },
      ),
      releaseWorker: calls.unary(
        methods.releaseWorker,
        wire.ReleaseWorkerRequest,
        wire.ReleaseWorkerResponse,
        (request) => {
          handlers.releaseWorker(text(request.workerName, 'worker_name'), words(request.reason, 'reason'));
          return {};
        },
      ),
      stopNanny: calls.unary(methods.stopNanny, wire.StopNannyRequest, wire.StopNannyResponse, (request) => {
        handlers.stop(words(request.reason, 'reason'));
        return {};
      }),
    });
    return new NannyServer(await GrpcListener.listen({ reflection: false, ...options }, [service]));
  }

  /** `host:port` it listens on. */
  get address(): string {
    return this.listener.address;
  }

  setServing(isServing: boolean): void {
    this.listener.setServing(isServing);
  }

  async close(): Promise<void> {
    await this.listener.close();
  }
}
