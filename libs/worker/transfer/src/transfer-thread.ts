/**
 * The main thread's side of the transfer thread: peers are asked, and peers are answered, without a byte of bulk on
 * the control loop. What happens inside the thread is in `run-transfer-thread.ts`.
 */
import { Worker } from 'node:worker_threads';
import {
  assertNever,
  InvariantError,
  SpillwayError,
  UnavailableError,
  type WorkerId,
} from '@spillway/kernel';
import { fromRemoteError, toRemoteError } from '@spillway/messages';
import type {
  GatherOutcome,
  GatherRequest,
  Logger,
  PeerLink,
  TransferControl,
  ValueSource,
} from '@spillway/ports';
import type { ChannelSecurity, ServerSecurity } from '@spillway/protocol';
import { Outbox, portable, transfersOf } from './outbox.js';
import { OpenReads } from './open-reads.js';
import { PendingRequests } from './pending-requests.js';
import type { FromThread, ThreadSettings, ToThread } from './thread-protocol.js';

export interface TransferThreadOptions {
  /** A built file whose body calls `runTransferThread()`. */
  readonly entry: URL;
  /** `host:port` to serve at; port 0 for any. */
  readonly listenAddress: string;
  readonly source: ValueSource;
  /** Most transfers served at a time. */
  readonly servingMax: number;
  readonly logger: Logger;
  /** Largest value that may be put here. Default 2 GiB. */
  readonly putBytesMax?: number;
  /** Whether to tell tools which services there are. Default false. */
  readonly reflection?: boolean;
  /** TLS of the own service, and towards peers. Default none. */
  readonly serverSecurity?: ServerSecurity;
  readonly channelSecurity?: ChannelSecurity;
  /** The process ends at once when its parent is another one: its nanny is gone, and the control loop may stand still. */
  readonly parentPid?: number;
  /** How long `close` waits for transfers under way. */
  readonly closeTimeoutMs?: number;
  /** The thread ended although nobody closed it: this worker can neither serve nor fetch any more. */
  readonly onEnded?: (error: SpillwayError) => void;
}

const PUT_BYTES_MAX = 2 * 1024 ** 3;
const CLOSE_TIMEOUT_MS = 5_000;

export class TransferThread implements PeerLink, TransferControl {
  readonly #worker: Worker;
  readonly #outbox: Outbox<ToThread>;
  readonly #gathers = new PendingRequests<GatherOutcome>();
  readonly #collections = new PendingRequests<void>();
  readonly #reads: OpenReads;
  /** Where each peer was last asked; until it is forgotten. */
  readonly #addresses = new Map<WorkerId, string>();
  #address = '';
  #endError: SpillwayError | undefined;
  #closing: Promise<void> | undefined;
  #onClosed: () => void = () => undefined;

  private constructor(
    private readonly options: TransferThreadOptions,
    private readonly starting: Starting,
  ) {
    this.#reads = new OpenReads(options.source);
    const settings: ThreadSettings = {
      listenAddress: options.listenAddress,
      servingMax: options.servingMax,
      putBytesMax: options.putBytesMax ?? PUT_BYTES_MAX,
      reflection: options.reflection ?? false,
      serverSecurity: options.serverSecurity,
      channelSecurity: options.channelSecurity,
      parentPid: options.parentPid,
    };
    this.#worker = new Worker(options.entry, { workerData: settings, name: 'spillway-transfer' });
    this.#outbox = new Outbox(this.#worker);
    this.#worker.on('message', (messages: readonly FromThread[]) => {
      for (const message of messages) this.#handle(message);
    });
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', (code) => this.#end(new Error(`it exited with code ${code}`)));
  }

  /** Resolves when the thread serves. Rejects with `UnavailableError` when it cannot. */
  static start(options: TransferThreadOptions): Promise<TransferThread> {
    return new Promise((resolve, reject) => {
      new TransferThread(options, { resolve, reject });
    });
  }

  /** `host:port` at which the values of this worker are served. */
  get address(): string {
    return this.#address;
  }

  async gather({ peerId, address, keys }: GatherRequest): Promise<GatherOutcome> {
    if (this.#endError !== undefined) return failedGather(this.#endError);
    this.#addresses.set(peerId, address);
    return this.#gathers.request((id) => this.#outbox.post({ type: 'gather', id, address, keys }));
  }

  forget(peerId: WorkerId): void {
    const address = this.#addresses.get(peerId);
    if (address === undefined) return;
    this.#addresses.delete(peerId);
    this.#outbox.post({ type: 'forget', address });
  }

  /** Takes effect for the next transfer that a peer asks for. */
  setServingMax(count: number): void {
    this.#outbox.post({ type: 'set-serving-max', count });
  }

  /** What the health service says of `TASKS_HEALTH_NAME`: false while the worker is paused. */
  setAcceptingTasks(on: boolean): void {
    this.#outbox.post({ type: 'set-accepting-tasks', on });
  }

  /** Resolves when the thread has collected, or has ended: what was dropped from the store is not held by it any more. */
  async collectGarbage(): Promise<void> {
    if (this.#endError !== undefined) return;
    await this.#collections.request((id) => this.#outbox.post({ type: 'collect-garbage', id }));
  }

  /** Serves nothing new, waits a moment for what is under way, and ends the thread. Gathers under way fail. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#endError === undefined) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS);
        this.#onClosed = () => {
          clearTimeout(timer);
          resolve();
        };
        this.#outbox.post({ type: 'close' });
      });
    }
    await this.#worker.terminate();
  }

  #handle(message: FromThread): void {
    // Everything that waited has been answered when the thread ended.
    if (this.#endError !== undefined) return;
    switch (message.type) {
      case 'listening':
        this.#address = message.address;
        this.starting.resolve(this);
        return;
      case 'start-failed':
        this.starting.reject(fromRemoteError(message.error));
        this.#closing = this.#worker.terminate().then(() => undefined);
        return;
      case 'gathered':
        this.#gathers.resolve(message.id, message.outcome);
        return;
      case 'collected':
        this.#collections.resolve(message.id, undefined);
        return;
      case 'serve':
        this.#answer(message.id, this.#serve(message));
        return;
      case 'unreadable':
        this.#reads.reportUnreadable(message.id, message.reason);
        return;
      case 'release':
        this.#reads.release(message.id);
        return;
      case 'accept':
        this.#answer(message.id, this.#accept(message));
        return;
      case 'closed':
        this.#onClosed();
        return;
      default:
        assertNever(message, 'message from the transfer thread');
    }
  }

  async #serve({ id, key }: Extract<FromThread, { type: 'serve' }>): Promise<void> {
    const held = await this.options.source.serve(key);
    if (held !== undefined && 'path' in held) {
      this.#outbox.post({ type: 'served', id, value: this.#reads.open(id, held) });
      return;
    }
    const value = held === undefined ? undefined : portable(held);
    this.#outbox.post({ type: 'served', id, value }, value === undefined ? [] : transfersOf([value]));
  }

  async #accept({ id, value }: Extract<FromThread, { type: 'accept' }>): Promise<void> {
    await this.options.source.accept(value);
    this.#outbox.post({ type: 'accepted', id });
  }

  #answer(id: number, answering: Promise<void>): void {
    answering.catch((error: unknown) => {
      this.options.logger.warn({ err: error }, 'A transfer was refused because the value store failed');
      const remote = toRemoteError(
        error instanceof SpillwayError ? error : new InvariantError(String(error), { cause: error }),
      );
      this.#outbox.post({ type: 'source-failed', id, error: remote });
    });
  }

  /** The thread is gone; `why` counts once. */
  #end(why: unknown): void {
    if (this.#endError !== undefined) return;
    const text = why instanceof Error ? why.message : String(why);
    this.#endError = new UnavailableError(`The transfer thread of this worker has ended: ${text}.`, {
      cause: why,
    });
    this.#gathers.resolveAll(failedGather(this.#endError));
    this.#collections.resolveAll();
    this.#reads.close();
    this.starting.reject(this.#endError);
    this.#onClosed();
    const hasStarted = this.#address !== '';
    if (!hasStarted || this.#closing !== undefined) return;
    this.options.logger.error({ err: why }, 'The transfer thread has ended unexpectedly');
    this.options.onEnded?.(this.#endError);
  }
}

/** How `start` ends; only the first call of either counts. */
interface Starting {
  resolve(thread: TransferThread): void;
  reject(error: Error): void;
}

const failedGather = (error: SpillwayError): GatherOutcome => ({
  type: 'gather-network-failure',
  values: [],
  message: error.message,
});
