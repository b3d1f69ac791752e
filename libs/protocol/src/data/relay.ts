/**
 * The scheduler's part in a transfer between a client and a worker that cannot reach each other: messages are handed
 * on as they come, as fast as the slower side takes them. Nothing is stored or decoded; what is in memory at a time
 * is the receiving window and what grpc-js reads ahead (16 messages), and the number of transfers is bounded.
 */
import {
  Metadata,
  type sendUnaryData,
  type ServerReadableStream,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { InvalidArgumentError, UnavailableError, UnknownWorkerError } from '@spillway/kernel';
import { fromServiceError, toServiceError } from '../status.js';
import { busyError, isBusy } from './busy.js';
import { PacedWriter } from './pacing.js';
import { PeerChannels, type PeerChannelsOptions, type PeerLease } from './peer-channels.js';
import { incoming } from './put-service.js';
import { whenAborted } from './transfer-options.js';
import { uploadOver } from './upload-call.js';
import {
  decodeRelayFetchRequest,
  encodeFetchRequest,
  RAW_DATA_SERVICE,
  RAW_RELAY_SERVICE,
  relayedWorkerId,
} from './wire.js';

export interface DataRelayOptions extends PeerChannelsOptions {
  /** `host:port` of the data service of a worker; `undefined` when there is no such worker. */
  readonly addressOf: (workerId: string) => string | undefined;
  /** Most transfers at a time; over it a client is told to come back. */
  readonly relayingMax?: number;
  /** Longest time either side may do nothing. */
  readonly idleMs?: number;
}

/** Two windows of chunks: enough to keep the line busy, and little to hold. */
const RELAY_WINDOW_BYTES = 1024 * 1024;

export class DataRelay {
  readonly #channels: PeerChannels;
  readonly #addressOf: DataRelayOptions['addressOf'];
  readonly #relayingMax: number;
  readonly #idleMs: number;
  #relayingCount = 0;

  constructor(options: DataRelayOptions) {
    this.#channels = new PeerChannels({ windowBytes: RELAY_WINDOW_BYTES, ...options });
    this.#addressOf = options.addressOf;
    this.#relayingMax = options.relayingMax ?? 16;
    this.#idleMs = options.idleMs ?? 30_000;
  }

  /** What to add to a grpc-js `Server`, with `implementation`. */
  readonly definition = RAW_RELAY_SERVICE;

  readonly implementation: UntypedServiceImplementation = {
    relayFetch: (call: RelayFetchCall) => {
      this.#admit(() => this.#relayFetch(call)).then(
        () => call.end(),
        (error: unknown) => call.emit('error', toServiceError(error)),
      );
    },
    relayPut: (call: RelayPutCall, answer: sendUnaryData<Buffer>) => {
      this.#admit(() => this.#relayPut(call)).then(
        (response) => answer(null, response),
        (error: unknown) => answer(toServiceError(error)),
      );
    },
  };

  /** Transfers under way. */
  get relayingCount(): number {
    return this.#relayingCount;
  }

  /** Breaks off everything. */
  close(): void {
    this.#channels.close();
  }

  async #relayFetch(call: RelayFetchCall): Promise<void> {
    const { workerId, keys } = decodeRelayFetchRequest(call.request);
    using lease = this.#lease(workerId);
    const request = encodeFetchRequest(keys);
    await discardingOnFailure(lease, () => relayFetch(call, request, lease, this.#idleMs));
  }

  async #relayPut(call: RelayPutCall): Promise<Buffer> {
    const messages = incoming(call, this.#idleMs);
    try {
      const first = await messages.next();
      if (first.done === true) throw new InvalidArgumentError('start: must come first.');
      using lease = this.#lease(relayedWorkerId(first.value));
      const all = startingWith(first.value, messages);
      return await discardingOnFailure(lease, () => relayPut(call, lease, all, this.#idleMs));
    } finally {
      // Order matters: destroying ends a read that is under way, which the return would wait for.
      call.destroy();
      await messages.return(undefined);
    }
  }

  #lease(workerId: string): PeerLease {
    const address = this.#addressOf(workerId);
    if (address !== undefined) return this.#channels.lease(address);
    throw new UnknownWorkerError(
      `There is no worker with the id ${JSON.stringify(workerId.slice(0, 100))} to relay to.`,
    );
  }

  async #admit<Result>(transfer: () => Promise<Result>): Promise<Result> {
    if (this.#relayingCount >= this.#relayingMax) {
      throw busyError(`The scheduler relays ${this.#relayingMax} transfers now; ask again.`);
    }
    this.#relayingCount += 1;
    try {
      return await transfer();
    } finally {
      this.#relayingCount -= 1;
    }
  }
}

export type RelayFetchCall = ServerWritableStream<Buffer, Buffer>;
export type RelayPutCall = ServerReadableStream<Buffer, Buffer>;

/** A channel that failed shall not be used again; one whose peer is busy shall. */
async function discardingOnFailure<Result>(lease: PeerLease, use: () => Promise<Result>): Promise<Result> {
  try {
    return await use();
  } catch (error) {
    if (!isBusy(error)) lease.discard();
    throw error;
  }
}

async function* startingWith<Item>(first: Item, rest: AsyncIterable<Item>): AsyncGenerator<Item> {
  yield first;
  yield* rest;
}

/** Hands on what the worker sends. Resolves when the worker has ended well; rejects with the error to answer with. */
async function relayFetch(
  call: RelayFetchCall,
  request: Buffer,
  lease: PeerLease,
  idleMs: number,
): Promise<void> {
  await lease.connected();
  const { path, requestSerialize, responseDeserialize } = RAW_DATA_SERVICE.fetchValues;
  const upstream = lease.client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    request,
    new Metadata(),
    { deadline: call.getDeadline() },
  );
  // Must stay attached: cancelling makes the call emit an error later on.
  upstream.on('error', () => undefined);
  const writer = new PacedWriter<Buffer>(call, idleMs);
  const aborted = whenAborted([writer.signal, lease.signal], () => upstream.cancel());
  const cancel = (): void => writer.stop(new UnavailableError('The client has cancelled the fetch.'));
  call.once('cancelled', cancel);
  if (call.cancelled) cancel();
  try {
    for await (const message of upstream) await writer.write(message as Buffer);
  } catch (error) {
    throw fromServiceError(error);
  } finally {
    aborted[Symbol.dispose]();
    upstream.cancel();
  }
}

/** Hands on what the client sends, and resolves with the worker's answer. */
async function relayPut(
  call: RelayPutCall,
  lease: PeerLease,
  messages: AsyncIterable<Buffer>,
  idleMs: number,
): Promise<Buffer> {
  const cancelled = new AbortController();
  call.once('cancelled', () => cancelled.abort(new UnavailableError('The client has cancelled the upload.')));
  return uploadOver({
    lease,
    method: RAW_DATA_SERVICE.putValue,
    messages,
    deadline: call.getDeadline(),
    idleMs,
    signal: cancelled.signal,
  });
}
