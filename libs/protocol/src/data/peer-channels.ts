/**
 * Channels to peers, one an address, for bulk only: control has its own, so that a transfer never delays a heartbeat.
 * A channel that nobody uses is closed after a while; one that failed is dropped, so that the next call starts anew
 * instead of waiting out a back-off.
 */
import { setMaxListeners } from 'node:events';
import { type ChannelCredentials, type ChannelOptions, Client, connectivityState } from '@grpc/grpc-js';
import { UnavailableError } from '@spillway/kernel';
import { DATA_MESSAGE_BYTES_MAX } from '@spillway/messages';
import { probeAddress } from '../channel/probe-address.js';
import { channelCredentials, type ChannelSecurity } from '../channel/security.js';

/** Only the side that opens the call can widen its receiving window, and 64 KiB hold a transfer to 120 MB/s. */
const FLOW_CONTROL_WINDOW_BYTES = 8 * 1024 * 1024;

const CHANNEL_OPTIONS: ChannelOptions = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.max_receive_message_length': DATA_MESSAGE_BYTES_MAX,
  'grpc.max_send_message_length': DATA_MESSAGE_BYTES_MAX,
  'grpc.enable_channelz': 0,
  // Retries keep what was sent, to send it again: another copy of the bulk. Callers ask again themselves.
  'grpc.enable_retries': 0,
};

export interface PeerChannelsOptions {
  readonly security?: ChannelSecurity | undefined;
  readonly connectTimeoutMs?: number;
  /** What may be under way to this side, each channel. Default 8 MiB. */
  readonly windowBytes?: number;
  /** How long a channel without calls is kept. */
  readonly idleChannelMs?: number;
}

/** A channel in use. Dispose it when the call is over. */
export interface PeerLease extends Disposable {
  readonly client: Client;
  /** Aborts when the peer is forgotten. */
  readonly signal: AbortSignal;
  /** Resolves when there is a connection, or when a call will fail at once; rejects with `UnavailableError`. */
  connected(): Promise<void>;
  /** The channel failed: nobody shall use it again. Calls under way on it go on. */
  discard(): void;
}

interface Peer {
  readonly client: Client;
  readonly forgotten: AbortController;
  leaseCount: number;
  idleTimer: NodeJS.Timeout | undefined;
}

export class PeerChannels {
  readonly #peers = new Map<string, Peer>();
  readonly #credentials: ChannelCredentials;
  readonly #connectTimeoutMs: number;
  readonly #idleChannelMs: number;
  readonly #windowBytes: number;
  #isClosed = false;

  constructor(options: PeerChannelsOptions = {}) {
    this.#credentials = channelCredentials(options.security);
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 1_000;
    this.#idleChannelMs = options.idleChannelMs ?? 60_000;
    this.#windowBytes = options.windowBytes ?? FLOW_CONTROL_WINDOW_BYTES;
  }

  get count(): number {
    return this.#peers.size;
  }

  lease(address: string): PeerLease {
    if (this.#isClosed) throw new UnavailableError(`The transfers of this program have been closed.`);
    const peer = this.#peers.get(address) ?? this.#open(address);
    peer.leaseCount += 1;
    clearTimeout(peer.idleTimer);
    return {
      client: peer.client,
      signal: peer.forgotten.signal,
      connected: () => this.#connected(peer, address),
      discard: () => this.#drop(address, peer),
      [Symbol.dispose]: () => this.#release(address, peer),
    };
  }

  /** Breaks off all calls to the address and closes its channel. */
  forget(address: string): void {
    const peer = this.#peers.get(address);
    if (peer === undefined) return;
    this.#peers.delete(address);
    clearTimeout(peer.idleTimer);
    peer.forgotten.abort(new UnavailableError(`The transfer with ${address} was broken off on this side.`));
    peer.client.close();
  }

  close(): void {
    this.#isClosed = true;
    for (const address of [...this.#peers.keys()]) this.forget(address);
  }

  #open(address: string): Peer {
    const client = new Client(address, this.#credentials, {
      ...CHANNEL_OPTIONS,
      'grpc-node.flow_control_window': this.#windowBytes,
    });
    const forgotten = new AbortController();
    // One listener a call under way: as many as there are.
    setMaxListeners(0, forgotten.signal);
    const peer = { client, forgotten, leaseCount: 0, idleTimer: undefined };
    this.#peers.set(address, peer);
    return peer;
  }

  #release(address: string, peer: Peer): void {
    peer.leaseCount -= 1;
    if (peer.leaseCount > 0) return;
    if (this.#peers.get(address) !== peer) {
      peer.client.close();
      return;
    }
    peer.idleTimer = setTimeout(() => this.forget(address), this.#idleChannelMs);
    peer.idleTimer.unref();
  }

  #drop(address: string, peer: Peer): void {
    if (this.#peers.get(address) === peer) this.#peers.delete(address);
  }

  async #connected({ client, forgotten }: Peer, address: string): Promise<void> {
    const deadline = Date.now() + this.#connectTimeoutMs;
    const channel = client.getChannel();
    if (channel.getConnectivityState(false) !== connectivityState.READY)
      await probeAddress(address, this.#connectTimeoutMs, forgotten.signal);
    for (;;) {
      const state = channel.getConnectivityState(true);
      // A call on a failed channel fails at once, and tells why the connection failed.
      if (state === connectivityState.READY || state === connectivityState.TRANSIENT_FAILURE) return;
      if (state === connectivityState.SHUTDOWN)
        throw new UnavailableError(`The channel to ${address} was closed.`);
      const isInTime = await new Promise<boolean>((resolve) =>
        channel.watchConnectivityState(state, deadline, (error) => resolve(error === undefined)),
      );
      if (!isInTime) {
        throw new UnavailableError(`No connection to ${address} within ${this.#connectTimeoutMs} ms.`);
      }
    }
  }
}
