/** What the specs of links and servers share: a scheduler that remembers, and a network that can be cut. */
import { connect, createServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { asClientId, asWorkerId, type ModuleHash, type SpillwayError } from '@spillway/kernel';
import {
  PROTOCOL_VERSION,
  type ClientHello,
  type ClientToScheduler,
  type SchedulerToClient,
  type SchedulerToWorker,
  type WorkerHello,
  type WorkerToScheduler,
} from '@spillway/messages';
import type { Link, LinkListener, Logger, Timers } from '@spillway/ports';
import type { SchedulerHandlers } from './scheduler-handlers.js';
import { SchedulerServer, type SchedulerServerOptions } from './scheduler-server.js';

export const clock = { nowMs: () => performance.timeOrigin + performance.now() };
export const timers: Timers = {
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  every(intervalMs, call) {
    const timer = setInterval(call, intervalMs);
    return { cancel: () => clearInterval(timer) };
  },
  soon: (call) => void setImmediate(call),
};
export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

/** Collects, and lets a test wait until something is true of what was collected. */
export class Recorder<In> implements LinkListener<In> {
  readonly messages: In[] = [];
  readonly breaks: string[] = [];
  resumedCount = 0;
  ended: { readonly error: SpillwayError | undefined } | undefined;
  readonly #waiting = new Set<() => void>();

  onMessages(messages: readonly In[]): void {
    this.messages.push(...messages);
    this.#changed();
  }
  onDisconnected(reason: string): void {
    this.breaks.push(reason);
    this.#changed();
  }
  onResumed(): void {
    this.resumedCount += 1;
    this.#changed();
  }
  onEnded(error: SpillwayError | undefined): void {
    if (this.ended !== undefined) throw new Error('ended twice');
    this.ended = { error };
    this.#changed();
  }

  async until(condition: (recorder: this) => boolean): Promise<void> {
    if (condition(this)) return;
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (!condition(this)) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  #changed(): void {
    for (const check of [...this.#waiting]) check();
  }
}

export interface OpenSession<Hello, Out, In> {
  readonly hello: Hello;
  readonly link: Link<Out>;
  readonly recorder: Recorder<In>;
}

const refuse = (): never => {
  throw new Error('not used by this test');
};

/** Remembers sessions and modules. Everything else is given by the test that needs it. */
export class TestScheduler {
  readonly clients: OpenSession<ClientHello, SchedulerToClient, ClientToScheduler>[] = [];
  readonly workers: OpenSession<WorkerHello, SchedulerToWorker, WorkerToScheduler>[] = [];
  readonly modules = new Map<ModuleHash, Uint8Array>();
  readonly handlers: SchedulerHandlers;

  constructor(overrides: Partial<SchedulerHandlers> = {}) {
    this.handlers = {
      openClient: (hello, link) => {
        const recorder = new Recorder<ClientToScheduler>();
        this.clients.push({ hello, link, recorder });
        return recorder;
      },
      openWorker: (hello, link) => {
        const recorder = new Recorder<WorkerToScheduler>();
        this.workers.push({ hello, link, recorder });
        return recorder;
      },
      openNanny: refuse,
      storeModule: (hash, bytes) => {
        this.modules.set(hash, bytes);
        return Promise.resolve();
      },
      findModule: (hash) => this.modules.get(hash),
      describeKeys: refuse,
      listWorkers: refuse,
      retireWorkers: refuse,
      restartWorkers: refuse,
      hasWhat: refuse,
      planScatter: refuse,
      runOnWorkers: refuse,
      submitGraph: refuse,
      waitForKeys: refuse,
      registerData: refuse,
      releaseKeys: refuse,
      cancelKeys: refuse,
      closeClient: refuse,
      ...overrides,
    };
  }

  serve(options: Partial<SchedulerServerOptions> = {}): Promise<SchedulerServer> {
    return SchedulerServer.listen({
      address: '127.0.0.1:0',
      handlers: this.handlers,
      clock,
      timers,
      logger: silent,
      resumeGraceMs: { clients: 10_000, workers: 10_000, nannies: 10_000 },
      heartbeatMs: 1000,
      softwareVersion: '0.0.0-test',
      reflection: true,
      ...options,
    });
  }
}

/** A way to a server that can be cut, as often as one likes. */
export class CuttableProxy {
  readonly #sockets = new Set<Socket>();
  /** While true, whoever connects is hung up on. */
  isDown = false;
  connectionCount = 0;
  #passedCount = 0;
  #onPassed: () => void = () => undefined;

  private constructor(
    private readonly server: TcpServer,
    readonly address: string,
  ) {}

  static async to(target: string): Promise<CuttableProxy> {
    const port = Number(target.slice(target.lastIndexOf(':') + 1));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new CuttableProxy(server, `127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('connection', (near) => {
      if (proxy.isDown) {
        near.destroy();
        return;
      }
      proxy.connectionCount += 1;
      const far = connect(port, '127.0.0.1');
      proxy.#join(near, far);
      proxy.#join(far, near);
    });
    return proxy;
  }

  /** Breaks all connections, with what is under way in them. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  /** Resolves when so many pieces more have passed, both ways together. */
  async untilPassed(count: number): Promise<void> {
    const until = this.#passedCount + count;
    await new Promise<void>((resolve) => {
      this.#onPassed = () => {
        if (this.#passedCount >= until) resolve();
      };
    });
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.pipe(to);
    from.on('data', () => {
      this.#passedCount += 1;
      this.#onPassed();
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}

export const clientHello = (id: string, major: number = PROTOCOL_VERSION.major): ClientHello => ({
  clientId: asClientId(id),
  protocol: { major, minor: 0 },
  softwareVersion: '0.0.0-test',
});

export const workerHello = (id: string): WorkerHello => ({
  workerId: asWorkerId(id),
  name: `name-of-${id}`,
  address: '127.0.0.1:9999',
  nthreads: 2,
  memoryLimitBytes: 256 * 1024 * 1024,
  isLimitEnforced: true,
  pid: 1234,
  protocol: { ...PROTOCOL_VERSION },
  softwareVersion: '0.0.0-test',
  holdings: [],
});
