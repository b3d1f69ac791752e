/**
 * Body of the transfer thread: owns the data server and the data client, so that bulk never runs on the control loop.
 * It holds no values: it asks the main thread for each, and hands over each that arrives.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { assertNever, InvariantError, must, SpillwayError, type TaskKey } from '@spillway/kernel';
import { fromRemoteError, type Payload, toRemoteError } from '@spillway/messages';
import type { ArrivedValue, ValueSource } from '@spillway/ports';
import { IsolateGarbage, systemClock, systemTimers } from '@spillway/platform';
import { DataClient, DataServer } from '@spillway/protocol';
import { Outbox, payloadsOf, transfersOf } from './outbox.js';
import { PendingRequests } from './pending-requests.js';
import type { FromThread, ThreadSettings, ToThread } from './thread-protocol.js';

/** Call as the only statement of the thread's entry file. Requires: started by `TransferThread`. */
export function runTransferThread(): void {
  const port = must(parentPort ?? undefined, 'parent port: runTransferThread runs in a worker thread only');
  const thread = new TransferThreadBody(new Outbox<FromThread>(port), workerData as ThreadSettings);
  port.on('message', (messages: readonly ToThread[]) =>
    messages.forEach((message) => thread.handle(message)),
  );
  void thread.start();
}

class TransferThreadBody implements ValueSource {
  readonly #client: DataClient;
  readonly #source = new PendingRequests<Payload | undefined>();
  readonly #garbage = new IsolateGarbage({ clock: systemClock, timers: systemTimers });
  #server: DataServer | undefined;
  #servingMax: number;

  constructor(
    private readonly outbox: Outbox<FromThread>,
    private readonly settings: ThreadSettings,
  ) {
    this.#servingMax = settings.servingMax;
    this.#client = new DataClient({ security: asBuffers(settings.channelSecurity) });
  }

  async start(): Promise<void> {
    try {
      this.#server = await DataServer.listen({
        address: this.settings.listenAddress,
        source: this,
        servingMax: () => this.#servingMax,
        putBytesMax: this.settings.putBytesMax,
        reflection: this.settings.reflection,
        security: asBuffers(this.settings.serverSecurity),
      });
      this.outbox.post({ type: 'listening', address: this.#server.address });
    } catch (error) {
      this.outbox.post({ type: 'start-failed', error: toRemoteError(asSpillwayError(error)) });
    }
  }

  handle(message: ToThread): void {
    switch (message.type) {
      case 'gather':
        void this.#gather(message);
        break;
      case 'forget':
        this.#client.forget(message.address);
        break;
      case 'set-serving-max':
        this.#servingMax = message.count;
        break;
      case 'set-accepting-tasks':
        this.#server?.setAcceptingTasks(message.on);
        break;
      case 'loaded':
        this.#source.resolve(message.id, message.payload);
        break;
      case 'accepted':
        this.#source.resolve(message.id, undefined);
        break;
      case 'source-failed':
        this.#source.reject(message.id, fromRemoteError(message.error));
        break;
      case 'collect-garbage':
        this.#garbage.ask();
        break;
      case 'close':
        void this.#close();
        break;
      default:
        assertNever(message, 'message to the transfer thread');
    }
  }

  load(key: TaskKey): Promise<Payload | undefined> {
    return this.#source.request((id) => this.outbox.post({ type: 'load', id, key }));
  }

  async accept(value: ArrivedValue): Promise<void> {
    await this.#source.request((id) =>
      this.outbox.post({ type: 'accept', id, value }, transfersOf([value.payload])),
    );
  }

  async #gather({ id, address, keys }: Extract<ToThread, { type: 'gather' }>): Promise<void> {
    const outcome = await this.#client.gather(address, keys);
    this.outbox.post({ type: 'gathered', id, outcome }, transfersOf(payloadsOf(outcome)));
    // What arrived in part is dropped here, where nobody else counts it.
    if (outcome.type === 'gather-network-failure') this.#garbage.ask();
  }

  async #close(): Promise<void> {
    this.#client.close();
    await this.#server?.close();
    this.outbox.post({ type: 'closed' });
  }
}

const asSpillwayError = (error: unknown): SpillwayError =>
  error instanceof SpillwayError ? error : new InvariantError(String(error), { cause: error });

/** Buffers that crossed threads are plain bytes. */
function asBuffers<Security extends object>(security: Security | undefined): Security | undefined {
  if (security === undefined) return undefined;
  const entries = Object.entries(security).map(([name, bytes]) => [name, Buffer.from(bytes as Uint8Array)]);
  return Object.fromEntries(entries) as Security;
}
