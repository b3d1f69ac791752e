/** From an address to a client: the settings of `client.*`, the connection, and the parts over it. */
import { InvalidArgumentError } from '@spillway/kernel';
import { configDoors } from '@spillway/platform';
import type { ChannelSecurity } from '@spillway/protocol';
import { assembleClient } from './assemble-client.js';
import type { CallOptions, Duration } from './call-options.js';
import type { Client } from './client.js';
import { clientConfig } from './client-config.js';
import { openGrpcConnection } from './grpc-connection.js';
import { realClock, realTimers } from './real-time.js';

export interface ConnectOptions extends CallOptions {
  /** `host:port` of the scheduler. */
  readonly address: string;
  /** How long a lost connection is tried to be resumed before all that waits fails: `client.resume-grace`, 30 s. */
  readonly resumeGrace?: Duration | undefined;
  /** Deadline of each single question to the scheduler: `client.call-timeout`, 30 s. */
  readonly callTimeout?: Duration | undefined;
  /** How long a worker is tried to be reached before the scheduler relays its values: `client.relay-after`, 1 s. */
  readonly relayAfter?: Duration | undefined;
  /** TLS: whom to trust, what to show. Default: what `tls.*` says, else not encrypted. */
  readonly security?: ChannelSecurity | undefined;
}

/**
 * Connects to a scheduler. What is not given comes from `SPILLWAY_…` variables and configuration files (docs/config.md).
 * `timeout` (`client.connect-timeout`, 30 s) bounds the first connection. Rejects with `ClusterUnreachableError`,
 * `VersionMismatchError`, `InvalidConfigError` or the signal's reason.
 */
export async function connect(
  address: string | ConnectOptions,
  options: Omit<ConnectOptions, 'address'> = {},
): Promise<Client> {
  const all: ConnectOptions = typeof address === 'string' ? { ...options, address } : address;
  return openClient(all, () => undefined);
}

/**
 * `onClose`: called when the client begins to close. `environ`: the variables that settings are read from; default those
 * of this process.
 */
export async function openClient(
  options: ConnectOptions,
  onClose: (client: Client) => void,
  environ?: NodeJS.ProcessEnv,
): Promise<Client> {
  checkAddress(options.address);
  const doors = configDoors();
  const config = await clientConfig(options, environ === undefined ? doors : { ...doors, env: environ });
  const connection = await openGrpcConnection({
    address: options.address,
    connectTimeoutMs: config.connectTimeout,
    resumeGraceMs: config.resumeGrace,
    callTimeoutMs: config.callTimeout,
    relayAfterMs: config.relayAfter,
    ...(config.security === undefined ? {} : { security: config.security }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    clock: realClock,
    timers: realTimers,
  });
  const { client, listener } = assembleClient({
    connection,
    timers: realTimers,
    clock: realClock,
    settings: {
      inlineArgumentBytesMax: config.inlineArgumentMax,
      gatherWindowBytes: config.gatherWindow,
    },
    onClose: () => onClose(client),
  });
  connection.listenWith(listener);
  return client;
}

function checkAddress(address: string): void {
  const port = Number(/:(\d{1,5})$/.exec(address)?.[1]);
  if (port >= 1 && port <= 65_535) return;
  throw new InvalidArgumentError(
    `"${address}" is no address of a scheduler. Give host and port, such as "127.0.0.1:8786".`,
    { details: { address } },
  );
}
