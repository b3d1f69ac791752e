/** From an address to a client: the settings of `client.*`, the connection, and the parts over it. */
import { InvalidArgumentError } from '@spillway/kernel';
import { loadConfig, optionsSource, type ClientConfig } from '@spillway/config';
import type { ChannelSecurity } from '@spillway/protocol';
import { assembleClient } from './assemble-client.js';
import { toMs, type CallOptions, type Duration } from './call-options.js';
import type { Client } from './client.js';
import { openGrpcConnection } from './grpc-connection.js';
import { realClock, realTimers } from './real-time.js';

export interface ConnectOptions extends CallOptions {
  /** `host:port` of the scheduler. */
  readonly address: string;
  /** How long a lost connection is tried to be resumed before all that waits fails. Default 30 s. */
  readonly resumeGrace?: Duration | undefined;
  /** Deadline of each single question to the scheduler. Default 30 s. */
  readonly callTimeout?: Duration | undefined;
  /** How long a worker is tried to be reached before its values come through the scheduler. Default 1 s. */
  readonly relayAfter?: Duration | undefined;
  /** TLS: whom to trust, what to show. Default: not encrypted. */
  readonly security?: ChannelSecurity | undefined;
}

/**
 * Connects to a scheduler. `timeout` (default 30 s) bounds the first connection. Rejects with
 * `ClusterUnreachableError`, `VersionMismatchError` or the signal's reason.
 */
export async function connect(
  address: string | ConnectOptions,
  options: Omit<ConnectOptions, 'address'> = {},
): Promise<Client> {
  const all: ConnectOptions = typeof address === 'string' ? { ...options, address } : address;
  return openClient(all, () => undefined);
}

/** `onClose`: called when the client begins to close. */
export async function openClient(
  options: ConnectOptions,
  onClose: (client: Client) => void,
): Promise<Client> {
  checkAddress(options.address);
  const config = clientConfig(options);
  const connection = await openGrpcConnection({
    address: options.address,
    connectTimeoutMs: config.connectTimeout,
    resumeGraceMs: config.resumeGrace,
    callTimeoutMs: config.callTimeout,
    relayAfterMs: config.relayAfter,
    ...(options.security === undefined ? {} : { security: options.security }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    clock: realClock,
    timers: realTimers,
  });
  const { client, listener } = assembleClient({
    connection,
    timers: realTimers,
    clock: realClock,
    onClose: () => onClose(client),
  });
  connection.listenWith(listener);
  return client;
}

function clientConfig({ timeout, resumeGrace, callTimeout, relayAfter }: ConnectOptions): ClientConfig {
  const given = { connectTimeout: timeout, resumeGrace, callTimeout, relayAfter };
  const inMs = Object.entries(given).map(([name, duration]) => [name, asMs(duration, name)] as const);
  return loadConfig([optionsSource({ client: Object.fromEntries(inMs) })]).client;
}

function asMs(duration: Duration | undefined, name: string): number | undefined {
  return duration === undefined ? undefined : toMs(duration, name);
}

function checkAddress(address: string): void {
  const port = Number(/:(\d{1,5})$/.exec(address)?.[1]);
  if (port >= 1 && port <= 65_535) return;
  throw new InvalidArgumentError(
    `"${address}" is no address of a scheduler. Give host and port, such as "127.0.0.1:8786".`,
    { details: { address } },
  );
}
