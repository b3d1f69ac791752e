/** Fetches values from workers and puts values on them, directly. The way through the scheduler is `relay-client.ts`. */
import type { ArrivedValue, GatherOutcome } from '@spillway/ports';
import type { WantedValue } from './fetch-answer.js';
import { fetchOver } from './fetch-call.js';
import { PeerChannels, type PeerChannelsOptions, type PeerLease } from './peer-channels.js';
import { putOver } from './put-call.js';
import type { TransferOptions } from './transfer-options.js';
import { DATA_SERVICE, encodeFetchRequest } from './wire.js';

export class DataClient {
  readonly #channels: PeerChannels;

  constructor(options: PeerChannelsOptions = {}) {
    this.#channels = new PeerChannels(options);
  }

  /** Channels that are open or being opened. */
  get channelCount(): number {
    return this.#channels.count;
  }

  /** Never rejects; values above `SMALL_VALUE_BYTES` arrive in SharedArrayBuffers of exactly their size. */
  async gather(
    address: string,
    wanted: readonly WantedValue[],
    options: TransferOptions = {},
  ): Promise<GatherOutcome> {
    const peer = `worker at ${address}`;
    const request = encodeFetchRequest(wanted.map(({ key }) => key));
    return fetchOver({
      openLease: () => this.#channels.lease(address),
      peer,
      method: DATA_SERVICE.fetchValues,
      request,
      wanted,
      options,
    });
  }

  /** Resolves once the value is stored there. Rejects with a `SpillwayError`. */
  async put(address: string, value: ArrivedValue, options: TransferOptions = {}): Promise<void> {
    const openLease = (): PeerLease => this.#channels.lease(address);
    await putOver({ openLease, method: DATA_SERVICE.putValue, value, options });
  }

  /** Breaks off what is under way with this address and closes the channel to it. */
  forget(address: string): void {
    this.#channels.forget(address);
  }

  /** Breaks off everything. */
  close(): void {
    this.#channels.close();
  }
}
