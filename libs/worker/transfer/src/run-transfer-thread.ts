/**
 * Body of the transfer thread: owns the data server and the data client, so that bulk never runs on the control loop.
 * It holds no values: it asks the main thread for each, reads those that lie on disk from there, and hands over each
 * that arrives.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { assertNever, InvariantError, must, SpillwayError, type TaskKey } from '@spillway/kernel';
import { fromRemoteError, type Payload, toRemoteError } from '@spillway/messages';
import type { ArrivedValue } from '@spillway/ports';
import { IsolateGarbage, systemClock, systemTimers } from '@spillway/platform';
import { DataClient, DataServer, type DataSource, type ServedValue } from '@spillway/protocol';
import { endWithParent } from './end-with-parent.js';
import { Outbox, payloadsOf, transfersOf } from './outbox.js';
import { PendingRequests } from './pending-requests.js';
import { openSpilled } from './spilled-value.js';
import type { FromThread, SpilledValue, ThreadSettings, ToThread } from './thread-protocol.js';

/** Call as the only statement of the thread's entry file. Requires: started by `TransferThread`. */
export function runTransferThread(): void {
  const port = must(parentPort ?? undefined, 'parent port: runTransferThread runs in a worker thread only');
  const settings = workerData as ThreadSettings;
  if (settings.parentPid !== undefined) endWithParent(settings.parentPid, systemTimers);
  const thread = new TransferThreadBody(new Outbox<FromThread>(port), settings);
  port.on('message', (messages: readonly ToThread[]) =>
    messages.forEach((message) => thread.handle(message)),
  );
  void thread.start();
}

class TransferThreadBody implements DataSource {
  readonly #client: DataClient;
  readonly #source = new PendingRequests<Payload | SpilledValue | undefined>();
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
      case 'served':
        this.#source.resolve(message.id, message.value);
        break;
      case 'accepted':
        this.#source.resolve(message.id, undefined);
        break;
      case 'source-failed':
        this.#source.reject(message.id, fromRemoteError(message.error));
        break;
      case 'collect-garbage':
        void this.#collectGarbage(message.id);
        break;
      case 'close':
        void this.#close();
        break;
      default:
        assertNever(message, 'message to the transfer thread');
    }
  }

  async serve(key: TaskKey): Promise<ServedValue | undefined> {
    const value = await this.#source.request((id) => this.outbox.post({ type: 'serve', id, key }));
    if (value === undefined || !('path' in value)) return value;
    const { id } = value;
    return openSpilled(value, {
      onUnreadable: (reason) => this.outbox.post({ type: 'unreadable', id, reason }),
      onReleased: () => this.outbox.post({ type: 'release', id }),
    });
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
    if (outcome.type === 'gather-network-failure') await this.#garbage.ask();
  }

  async #collectGarbage(id: number): Promise<void> {
    await this.#garbage.ask();
    this.outbox.post({ type: 'collected', id });
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
