/**
 * The scheduler's gRPC service: sessions of clients, workers and nannies, queries, graphs of foreign clients, modules,
 * the relay, health and reflection. Decides nothing: `SchedulerHandlers` do.
 */
import { randomUUID } from 'node:crypto';
import type { UntypedHandleCall } from '@grpc/grpc-js';
import type {
  ClientHello,
  ClientToScheduler,
  NannyHello,
  NannyToScheduler,
  SchedulerToClient,
  SchedulerToNanny,
  SchedulerToWorker,
  WorkerHello,
  WorkerToScheduler,
} from '@spillway/messages';
import type { Clock, Logger, Timers } from '@spillway/ports';
import { spillway } from '@spillway/proto';
import type { ChannelSecurity, ServerSecurity } from '../channel/security.js';
import { DataRelay } from '../data/index.js';
import { clientDown, clientUp, nannyDown, nannyUp, workerDown, workerUp } from '../link/envelopes.js';
import { rawMethod } from '../service.js';
import { CallFactory, type ServedCall } from './calls.js';
import { graphCalls } from './graph-calls.js';
import { GrpcListener, serviceOf } from './grpc-listener.js';
import { leavingCalls } from './leaving-calls.js';
import { moduleCalls } from './module-calls.js';
import { queryCalls } from './query-calls.js';
import type { SchedulerHandlers } from './scheduler-handlers.js';
import { SessionHub } from './session-hub.js';

const methods = spillway.v1.SchedulerService.prototype;

export const SCHEDULER_SERVICE_NAME = 'spillway.v1.SchedulerService';
const RELAY_SERVICE_NAME = 'spillway.v1.RelayService';
/** How long `close` waits for the other sides to hear that their sessions end. */
const CLOSE_SESSIONS_MS = 2500;

export interface SchedulerServerOptions {
  /** `host:port`; port 0 for any. */
  readonly address: string;
  readonly handlers: SchedulerHandlers;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  /** How long a session without a connection is kept, by who is at its other end. */
  readonly resumeGraceMs: { readonly clients: number; readonly workers: number; readonly nannies: number };
  /** How often each side says something at least; after three times as long in silence a connection is dropped. */
  readonly heartbeatMs: number;
  readonly softwareVersion: string;
  readonly reflection: boolean;
  readonly security?: ServerSecurity;
  /** How the relay connects to workers. */
  readonly workerSecurity?: ChannelSecurity;
}

type ClientHub = SessionHub<ClientHello, SchedulerToClient, ClientToScheduler>;
type WorkerHub = SessionHub<WorkerHello, SchedulerToWorker, WorkerToScheduler>;
type NannyHub = SessionHub<NannyHello, SchedulerToNanny, NannyToScheduler>;

interface Hubs {
  readonly clients: ClientHub;
  readonly workers: WorkerHub;
  readonly nannies: NannyHub;
}

export class SchedulerServer {
  readonly #listener: GrpcListener;
  readonly #hubs: Hubs;
  readonly #relay: DataRelay;
  readonly #timers: Timers;

  private constructor(listener: GrpcListener, hubs: Hubs, relay: DataRelay, timers: Timers) {
    this.#listener = listener;
    this.#hubs = hubs;
    this.#relay = relay;
    this.#timers = timers;
  }

  static async listen(options: SchedulerServerOptions): Promise<SchedulerServer> {
    const { handlers } = options;
    const hubs = hubsOf(options);
    const relay = new DataRelay({
      addressOf: (workerId) => hubs.workers.helloOf(workerId)?.address,
      security: options.workerSecurity,
    });
    const calls = new CallFactory(options.logger);
    const scheduler = serviceOf(SCHEDULER_SERVICE_NAME, {
      openClient: stream(methods.openClient, hubs.clients.accept),
      openWorker: stream(methods.openWorker, hubs.workers.accept),
      openNanny: stream(methods.openNanny, hubs.nannies.accept),
      ...graphCalls(calls, handlers),
      ...queryCalls(calls, handlers),
      ...leavingCalls(calls, handlers),
      ...moduleCalls(calls, handlers),
    });
    const { definition, implementation } = relay;
    const services = [scheduler, { name: RELAY_SERVICE_NAME, definition, implementation }];
    return new SchedulerServer(await GrpcListener.listen(options, services), hubs, relay, options.timers);
  }

  /** `host:port` it listens on. */
  get address(): string {
    return this.#listener.address;
  }

  /** How many sessions there are, with and without a connection. */
  get sessionCounts(): { readonly clients: number; readonly workers: number; readonly nannies: number } {
    const { clients, workers, nannies } = this.#hubs;
    return { clients: clients.count, workers: workers.count, nannies: nannies.count };
  }

  /** What health says, before and after it really serves. */
  setServing(isServing: boolean): void {
    this.#listener.setServing(isServing);
  }

  /** Ends all sessions in order, then the server. */
  async close(): Promise<void> {
    this.setServing(false);
    const ended = Promise.all(
      Object.values(this.#hubs).map((hub: ClientHub | WorkerHub | NannyHub) =>
        hub.close('The scheduler is closing.'),
      ),
    );
    await new Promise<void>((resolve) => {
      const deadline = this.#timers.after(CLOSE_SESSIONS_MS, resolve);
      void ended.then(() => {
        deadline.cancel();
        resolve();
      });
    });
    this.#relay.close();
    await this.#listener.close();
  }
}

function hubsOf(options: SchedulerServerOptions): Hubs {
  const { handlers, clock, timers, resumeGraceMs, heartbeatMs } = options;
  const shared = { clock, timers, heartbeatMs, epoch: randomUUID() };
  return {
    clients: new SessionHub({
      ...shared,
      resumeGraceMs: resumeGraceMs.clients,
      up: clientUp,
      down: clientDown,
      open: (hello, link) => handlers.openClient(hello, link),
    }),
    workers: new SessionHub({
      ...shared,
      resumeGraceMs: resumeGraceMs.workers,
      up: workerUp,
      down: workerDown,
      open: (hello, link) => handlers.openWorker(hello, link),
    }),
    nannies: new SessionHub({
      ...shared,
      resumeGraceMs: resumeGraceMs.nannies,
      up: nannyUp,
      down: nannyDown,
      open: (hello, link) => handlers.openNanny(hello, link),
    }),
  };
}

const stream = (info: Parameters<typeof rawMethod>[0], handler: UntypedHandleCall): ServedCall => ({
  definition: rawMethod(info),
  handler,
});
