/**
 * A scheduler that is only its gRPC service, and one worker that is only its data service, on real loopback: what the
 * client's connection is tested against. Runs no task: a test says what becomes of each.
 */
import { asWorkerId, type ModuleHash, type TaskKey } from '@spillway/kernel';
import {
  NO_READINGS,
  PROTOCOL_VERSION,
  type ClientHello,
  type ClientToScheduler,
  type Payload,
  type SchedulerToClient,
  type WorkerHello,
  type WorkerInfo,
  type WorkerToScheduler,
} from '@spillway/messages';
import type { Link, Logger } from '@spillway/ports';
import {
  DataServer,
  openWorkerLink,
  SchedulerServer,
  type DataSource,
  type SchedulerHandlers,
} from '@spillway/protocol';
import { realClock, realTimers } from '../real-time.js';

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT,
};

export class LoopbackScheduler implements AsyncDisposable {
  readonly hellos: ClientHello[] = [];
  readonly said: ClientToScheduler[] = [];
  readonly modules = new Map<ModuleHash, Uint8Array>();
  readonly values = new Map<TaskKey, Payload>();
  /** What the scheduler does with a message of a client. */
  onMessage: (message: ClientToScheduler, link: Link<SchedulerToClient>) => void = () => undefined;
  /** Thrown at a client that connects. */
  refusal: Error | undefined;

  #workerLink: Link<WorkerToScheduler> | undefined;

  #scheduler!: SchedulerServer;

  private constructor(private readonly worker: DataServer) {}

  static async start(): Promise<LoopbackScheduler> {
    const values = (): Map<TaskKey, Payload> => loopback.values;
    const source: DataSource = {
      serve: (key) => Promise.resolve(values().get(key)),
      accept: ({ key, payload }) => {
        values().set(key, payload);
        return Promise.resolve();
      },
    };
    const worker = await DataServer.listen({ address: '127.0.0.1:0', source, servingMax: () => 4 });
    const loopback = new LoopbackScheduler(worker);
    loopback.#scheduler = await SchedulerServer.listen({
      address: '127.0.0.1:0',
      handlers: loopback.#handlers(),
      clock: realClock,
      timers: realTimers,
      logger: SILENT,
      resumeGraceMs: { clients: 1000, workers: 1000, nannies: 1000 },
      heartbeatMs: 1000,
      softwareVersion: 'test',
      reflection: false,
    });
    loopback.#workerLink = await openWorkerLink({
      address: loopback.address,
      hello: () => workerHello(worker.address),
      listener: { onMessages: () => undefined, onEnded: () => undefined },
      clock: realClock,
      timers: realTimers,
      connectTimeoutMs: 10_000,
      resumeGraceMs: 1000,
    });
    return loopback;
  }

  get address(): string {
    return this.#scheduler.address;
  }

  get workerAddress(): string {
    return this.worker.address;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#workerLink?.close('The test is over.');
    await this.#scheduler.close();
    await this.worker.close();
  }

  #handlers(): SchedulerHandlers {
    const unused = (): never => {
      throw new Error('A client of this library does not ask this.');
    };
    return {
      openClient: (hello, link) => {
        if (this.refusal !== undefined) throw this.refusal;
        this.hellos.push(hello);
        const take = (message: ClientToScheduler): void => {
          this.said.push(message);
          this.onMessage(message, link);
        };
        return { onMessages: (messages) => messages.forEach(take), onEnded: () => undefined };
      },
      storeModule: (hash, bytes) => {
        this.modules.set(hash, bytes);
        return Promise.resolve();
      },
      findModule: (hash) => this.modules.get(hash),
      describeKeys: (keys) => keys.map((key) => ({ key, state: 'forgotten', nbytes: undefined, whoHas: [] })),
      listWorkers: () => [this.#workerInfo()],
      hasWhat: () => [...this.values].map(([key, { data }]) => ({ key, nbytes: data.byteLength })),
      planScatter: () => [{ workerId: asWorkerId('w1'), address: this.workerAddress }],
      runOnWorkers: ({ args }) =>
        Promise.resolve([{ workerId: asWorkerId('w1'), outcome: { type: 'run-success', result: args } }]),
      retireWorkers: unused,
      restartWorkers: unused,
      openWorker: () => ({ onMessages: () => undefined, onEnded: () => undefined }),
      openNanny: unused,
      submitGraph: unused,
      waitForKeys: unused,
      registerData: unused,
      releaseKeys: unused,
      cancelKeys: unused,
      closeClient: unused,
    };
  }

  #workerInfo(): WorkerInfo {
    return {
      workerId: asWorkerId('w1'),
      name: 'worker-1',
      address: this.workerAddress,
      status: 'running',
      nthreads: 1,
      memoryLimitBytes: false,
      ...NO_READINGS,
      isUnderPressure: false,
      processingCount: 0,
      keyCount: this.values.size,
    };
  }
}

function workerHello(address: string): WorkerHello {
  return {
    workerId: asWorkerId('w1'),
    name: 'worker-1',
    address,
    nthreads: 1,
    memoryLimitBytes: false,
    isLimitEnforced: true,
    pid: process.pid,
    protocol: PROTOCOL_VERSION,
    softwareVersion: 'test',
    holdings: [],
  };
}
