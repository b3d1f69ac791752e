/** A cluster over gRPC behind the client's seam: the control stream, the queries, and the two ways values take. */
import { randomBytes } from 'node:crypto';
import { asClientId, SOFTWARE_VERSION, type ClientId, type SpillwayError } from '@spillway/kernel';
import {
  PROTOCOL_VERSION,
  type ClientToScheduler,
  type Holder,
  type SchedulerToClient,
} from '@spillway/messages';
import type { ArrivedValue, Clock, GatherOutcome, Link, LinkListener, Timers } from '@spillway/ports';
import {
  DataClient,
  openClientLink,
  RelayClient,
  SchedulerQueries,
  type ChannelSecurity,
} from '@spillway/protocol';
import type {
  ClusterConnection,
  ConnectionListener,
  KeyWithSize,
  Route,
  TransferOptions,
} from './cluster-connection.js';

export interface GrpcConnectionOptions {
  /** `host:port` of the scheduler. */
  readonly address: string;
  readonly connectTimeoutMs: number;
  readonly resumeGraceMs: number;
  readonly callTimeoutMs: number;
  readonly relayAfterMs: number;
  readonly security?: ChannelSecurity;
  readonly signal?: AbortSignal;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** How long a good-bye may take before the connection is just dropped. */
const GOOD_BYE_MS = 2_000;

/** The listener hears what arrives only once it has been set with `listenWith`. */
export async function openGrpcConnection(options: GrpcConnectionOptions): Promise<GrpcConnection> {
  const clientId = newClientId();
  const listener = new LateListener();
  const { connectTimeoutMs, signal } = options;
  const link = await openLink(clientId, options, listener, {
    isBack: false,
    connectTimeoutMs,
    ...(signal === undefined ? {} : { signal }),
  });
  return new GrpcConnection(clientId, link, listener, options);
}

function openLink(
  clientId: ClientId,
  { address, clock, timers, resumeGraceMs, security }: GrpcConnectionOptions,
  listener: LinkListener<SchedulerToClient>,
  { isBack, ...how }: { isBack: boolean; connectTimeoutMs: number; signal?: AbortSignal },
): Promise<Link<ClientToScheduler>> {
  return openClientLink({
    address,
    hello: () => ({ clientId, protocol: PROTOCOL_VERSION, softwareVersion: SOFTWARE_VERSION, isBack }),
    listener,
    clock,
    timers,
    resumeGraceMs,
    ...(security === undefined ? {} : { security }),
    ...how,
  });
}

/** Short, since it is part of every key, and unlikely enough to be given twice in one cluster. */
function newClientId(): ClientId {
  return asClientId(randomBytes(6).toString('hex'));
}

export class GrpcConnection implements ClusterConnection {
  readonly #queries: SchedulerQueries;
  readonly #data: DataClient;
  readonly #relay: RelayClient;
  readonly #timers: Timers;

  /** Said while there was no session, and not said again when one begins. */
  #unsaid: ClientToScheduler[] = [];
  #isBetweenSessions = false;
  #isClosed = false;

  constructor(
    readonly clientId: ClientId,
    private link: Link<ClientToScheduler>,
    private readonly listener: LateListener,
    private readonly options: GrpcConnectionOptions,
  ) {
    listener.onExpired = () => this.#beginAnother();
    const { address, security, relayAfterMs } = options;
    this.#timers = options.timers;
    this.#queries = new SchedulerQueries({
      address,
      timeoutMs: options.callTimeoutMs,
      ...(security === undefined ? {} : { security }),
    });
    this.#data = new DataClient({ security, connectTimeoutMs: relayAfterMs });
    this.#relay = new RelayClient({ address, security });
  }

  listenWith(listener: ConnectionListener): void {
    this.listener.attach(listener);
  }

  send(message: ClientToScheduler): void {
    if (this.listener.isEnded) return;
    if (!this.#isBetweenSessions) this.link.send(message);
    else if (message.type === 'retry-keys') this.#unsaid.push(message);
  }

  get backlogBytes(): number {
    return this.#isBetweenSessions ? 0 : (this.link.backlogBytes ?? 0);
  }

  readonly describeKeys: ClusterConnection['describeKeys'] = (...call) => this.#queries.describeKeys(...call);
  readonly listWorkers: ClusterConnection['listWorkers'] = (...call) => this.#queries.listWorkers(...call);
  readonly hasWhat: ClusterConnection['hasWhat'] = (...call) => this.#queries.hasWhat(...call);
  readonly planScatter: ClusterConnection['planScatter'] = (...call) => this.#queries.planScatter(...call);
  readonly runOnWorkers: ClusterConnection['runOnWorkers'] = (...call) => this.#queries.runOnWorkers(...call);
  readonly retireWorkers: ClusterConnection['retireWorkers'] = (...call) =>
    this.#queries.retireWorkers(...call);
  readonly restartWorkers: ClusterConnection['restartWorkers'] = (...call) =>
    this.#queries.restartWorkers(...call);
  readonly hasModule: ClusterConnection['hasModule'] = (...call) => this.#queries.hasModule(...call);
  readonly uploadModule: ClusterConnection['uploadModule'] = (...call) => this.#queries.uploadModule(...call);

  fetch(
    route: Route,
    holder: Holder,
    keys: readonly KeyWithSize[],
    options: TransferOptions,
  ): Promise<GatherOutcome> {
    return route === 'direct'
      ? this.#data.gather(holder.address, keys, options)
      : this.#relay.gather(holder.workerId, keys, options);
  }

  put(route: Route, holder: Holder, value: ArrivedValue, options: TransferOptions): Promise<void> {
    return route === 'direct'
      ? this.#data.put(holder.address, value, options)
      : this.#relay.put(holder.workerId, value, options);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#data.close();
    this.#relay.close();
    if (!this.listener.isEnded && !this.#isBetweenSessions) {
      this.link.send({ type: 'client-closing' });
      this.link.close('The client was closed.');
      await this.#goodBye();
    }
    this.#queries.close();
  }

  /** The scheduler does not know the session, but perhaps the client: what it knows has outlived it, or its lease goes on. */
  #beginAnother(): void {
    this.#isBetweenSessions = true;
    const how = { isBack: true, connectTimeoutMs: this.options.resumeGraceMs };
    openLink(this.clientId, this.options, this.listener, how).then(
      (link) => {
        this.#isBetweenSessions = false;
        this.link = link;
        if (this.#isClosed) {
          link.send({ type: 'client-closing' });
          link.close('The client was closed.');
          return;
        }
        this.listener.onSessionBegun();
        for (const message of this.#unsaid.splice(0)) link.send(message);
      },
      (error: unknown) => this.listener.end(error as SpillwayError),
    );
  }

  #goodBye(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#timers.after(GOOD_BYE_MS, resolve);
      void this.listener.ended.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}

/** Takes what the link says before there is a client to say it to. */
class LateListener implements LinkListener<SchedulerToClient> {
  isEnded = false;
  /** The scheduler does not know the session any more. */
  onExpired: () => void = () => undefined;
  readonly ended: Promise<void>;
  #resolveEnded!: () => void;
  #target: ConnectionListener | undefined;
  readonly #early: ((target: ConnectionListener) => void)[] = [];

  constructor() {
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
  }

  attach(target: ConnectionListener): void {
    this.#target = target;
    for (const call of this.#early.splice(0)) call(target);
  }

  onMessages(messages: readonly SchedulerToClient[]): void {
    this.#tell((target) => target.onMessages(messages));
  }

  onSessionBegun(): void {
    this.#tell((target) => target.onSessionBegun());
  }

  onEnded(error: SpillwayError | undefined): void {
    if (error?.code === 'SESSION_EXPIRED') this.onExpired();
    else this.end(error);
  }

  end(error: SpillwayError | undefined): void {
    this.isEnded = true;
    this.#resolveEnded();
    this.#tell((target) => target.onEnded(error));
  }

  #tell(call: (target: ConnectionListener) => void): void {
    if (this.#target === undefined) this.#early.push(call);
    else call(this.#target);
  }
}
