/** What `DataClient` does, through the scheduler: for clients that cannot reach a worker. Slower; same outcomes. */
import type { ArrivedValue, GatherOutcome } from '@spillway/ports';
import type { WantedValue } from './fetch-answer.js';
import { fetchOver } from './fetch-call.js';
import { PeerChannels, type PeerChannelsOptions, type PeerLease } from './peer-channels.js';
import { putOver } from './put-call.js';
import type { TransferOptions } from './transfer-options.js';
import { encodeRelayFetchRequest, RELAYED_DATA_SERVICE } from './wire.js';

export interface RelayClientOptions extends PeerChannelsOptions {
  /** `host:port` of the scheduler. */
  readonly address: string;
}

export class RelayClient {
  readonly #address: string;
  readonly #channels: PeerChannels;

  constructor(options: RelayClientOptions) {
    this.#address = options.address;
    this.#channels = new PeerChannels(options);
  }

  /** As `DataClient.gather`, of the worker with this id. */
  async gather(
    workerId: string,
    wanted: readonly WantedValue[],
    options: TransferOptions = {},
  ): Promise<GatherOutcome> {
    return fetchOver({
      openLease: () => this.#lease(),
      peer: `worker ${workerId} through the scheduler at ${this.#address}`,
      method: RELAYED_DATA_SERVICE.fetchValues,
      request: encodeRelayFetchRequest(
        workerId,
        wanted.map(({ key }) => key),
      ),
      wanted,
      options,
    });
  }

  /** As `DataClient.put`, on the worker with this id. */
  async put(workerId: string, value: ArrivedValue, options: TransferOptions = {}): Promise<void> {
    await putOver({
      openLease: () => this.#lease(),
      method: RELAYED_DATA_SERVICE.putValue,
      workerId,
      value,
      options,
    });
  }

  /** Breaks off everything. */
  close(): void {
    this.#channels.close();
  }

  #lease(): PeerLease {
    return this.#channels.lease(this.#address);
  }
}
