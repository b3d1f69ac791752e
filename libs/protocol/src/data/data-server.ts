/**
 * The data service of a worker: serves its values to peers and clients, takes values that clients put. How a single
 * call goes is in `fetch-service.ts` and `put-service.ts`; this is the server around them and how much it serves.
 */
import {
  Server,
  type ServerCredentials,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { UnavailableError } from '@spillway/kernel';
import { DATA_CHUNK_BYTES, DATA_MESSAGE_BYTES_MAX } from '@spillway/messages';
import { serverCredentials, type ServerSecurity } from '../channel/security.js';
import { HealthService } from '../standard/health.js';
import { addReflection } from '../standard/reflection.js';
import { toServiceError } from '../status.js';
import { busyError } from './busy.js';
import { type FetchServerCall, serveFetch } from './fetch-service.js';
import { type PutServerCall, servePut } from './put-service.js';
import type { DataSource } from './served-value.js';
import { DATA_SERVICE_NAME, RAW_DATA_SERVICE } from './wire.js';

export interface DataServerOptions {
  /** `host:port`; port 0 for any. */
  readonly address: string;
  readonly source: DataSource;
  /** Most transfers at a time, asked for each new one; over it a peer is told to come back. */
  readonly servingMax: () => number;
  /** Largest value that may be put. Default 2 GiB. */
  readonly putBytesMax?: number;
  readonly chunkBytes?: number;
  /** Longest time the other end of a transfer may do nothing. */
  readonly idleMs?: number;
  /** How long `close` waits for transfers under way. */
  readonly closeGraceMs?: number;
  readonly security?: ServerSecurity | undefined;
  /** Whether to tell tools which services there are. Default false. */
  readonly reflection?: boolean;
}

type Serving = Required<
  Pick<DataServerOptions, 'source' | 'servingMax' | 'putBytesMax' | 'chunkBytes' | 'idleMs' | 'closeGraceMs'>
>;

const DEFAULTS = {
  putBytesMax: 2 * 1024 ** 3,
  chunkBytes: DATA_CHUNK_BYTES,
  idleMs: 30_000,
  closeGraceMs: 2_000,
};

const SERVER_OPTIONS = {
  'grpc.max_receive_message_length': DATA_MESSAGE_BYTES_MAX,
  'grpc.max_send_message_length': DATA_MESSAGE_BYTES_MAX,
  'grpc.enable_channelz': 0,
};

/** Name under which health tells whether this worker takes new tasks. */
export const TASKS_HEALTH_NAME = 'spillway.v1.Tasks';

export class DataServer {
  readonly #server = new Server(SERVER_OPTIONS);
  readonly #health = new HealthService([DATA_SERVICE_NAME, TASKS_HEALTH_NAME]);
  #address = '';
  #servingCount = 0;
  #isAccepting = true;

  private constructor(private readonly serving: Serving) {}

  /** Rejects with `UnavailableError` when the address cannot be listened on. */
  static async listen(options: DataServerOptions): Promise<DataServer> {
    const dataServer = new DataServer({ ...DEFAULTS, ...options });
    dataServer.#server.addService(RAW_DATA_SERVICE, dataServer.#implementation());
    dataServer.#health.addTo(dataServer.#server);
    if (options.reflection === true) addReflection(dataServer.#server, [DATA_SERVICE_NAME]);
    await dataServer.#bind(options.address, serverCredentials(options.security));
    return dataServer;
  }

  /** `host:port` it listens on. */
  get address(): string {
    return this.#address;
  }

  /** Transfers under way. */
  get servingCount(): number {
    return this.#servingCount;
  }

  /** While off, new transfers are refused with `UnavailableError`; those under way go on. */
  setAccepting(on: boolean): void {
    this.#isAccepting = on;
    this.#health.setServing(on, DATA_SERVICE_NAME);
  }

  /** What health says of `TASKS_HEALTH_NAME`. A paused worker takes no tasks, but serves its data. */
  setAcceptingTasks(on: boolean): void {
    this.#health.setServing(on, TASKS_HEALTH_NAME);
  }

  /**
   * Stops listening and waits for transfers under way; what is left after the grace is broken off. Without a grace
   * the peers see what they see when a process dies.
   */
  async close(graceMs = this.serving.closeGraceMs): Promise<void> {
    this.#isAccepting = false;
    this.#health.setServing(false);
    this.#health.close();
    // Not forceShutdown: with channelz off, grpc-js 1.14 does not know its sessions there.
    this.#server.drain(this.#address, graceMs);
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
  }

  #implementation(): UntypedServiceImplementation {
    return {
      fetchValues: (call: FetchServerCall) => {
        this.#admit(() => serveFetch(call, this.serving)).then(
          () => call.end(),
          // The documented way for a handler of a stream to end with a status.
          (error: unknown) => call.emit('error', toServiceError(error)),
        );
      },
      putValue: (call: PutServerCall, answer: sendUnaryData<Buffer>) => {
        this.#admit(() => servePut(call, this.serving)).then(
          (response) => answer(null, response),
          (error: unknown) => answer(toServiceError(error)),
        );
      },
    };
  }

  /** Runs one transfer, unless there are enough. */
  async #admit<Result>(transfer: () => Promise<Result>): Promise<Result> {
    if (!this.#isAccepting) throw new UnavailableError('This worker is closing; ask another holder.');
    const servingMax = this.serving.servingMax();
    if (this.#servingCount >= servingMax) {
      throw busyError(`This worker serves ${servingMax} transfers now; ask again.`);
    }
    this.#servingCount += 1;
    try {
      return await transfer();
    } finally {
      this.#servingCount -= 1;
    }
  }

  async #bind(address: string, credentials: ServerCredentials): Promise<void> {
    const port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(address, credentials, (error, boundPort) => {
        if (error === null) resolve(boundPort);
        else reject(new UnavailableError(`Cannot listen on ${address}: ${error.message}`, { cause: error }));
      });
    });
    this.#address = `${address.slice(0, address.lastIndexOf(':'))}:${port}`;
  }
}
