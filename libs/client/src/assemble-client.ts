/** Puts the parts of a client together, over a connection that is open. */
import type { Clock, Timers } from '@spillway/ports';
import { Callables } from './callables.js';
import { Client } from './client.js';
import { ClientSession } from './client-session.js';
import type { ClusterConnection, ConnectionListener } from './cluster-connection.js';
import { ModuleUploads } from './module-uploads.js';
import { Reachability } from './reachability.js';
import { DEFAULT_SESSION_SETTINGS, type SessionSettings } from './session-settings.js';
import type { TransferSettings } from './transfers.js';

export interface ClientParts {
  readonly connection: ClusterConnection;
  readonly timers: Timers;
  readonly clock: Clock;
  /** What differs from the defaults. */
  readonly transfers?: Partial<Omit<TransferSettings, 'clock' | 'reachability'>>;
  /** What differs from the defaults. */
  readonly settings?: Partial<SessionSettings>;
  /** Called when the client begins to close. */
  readonly onClose?: () => void;
}

const TRANSFERS = {
  idleMs: 30_000,
  retryMs: 50,
  workerWaitMs: 30_000,
  requestBytesMax: 64 * 1024 * 1024,
} as const;

/** How long a worker that could not be reached is asked through the relay before it is tried again. */
const RELAY_REMEMBER_MS = 60_000;

export function assembleClient(parts: ClientParts): { client: Client; listener: ConnectionListener } {
  const { connection, timers, clock } = parts;
  const reachability = new Reachability(clock, RELAY_REMEMBER_MS);
  const session = new ClientSession({
    connection,
    timers,
    transfers: { ...TRANSFERS, ...parts.transfers, clock, reachability },
    settings: { ...DEFAULT_SESSION_SETTINGS, ...parts.settings },
  });
  const callables = new Callables(new ModuleUploads(connection, clock));
  const client = new Client(session, connection, callables, parts.onClose ?? (() => undefined));
  return { client, listener: session };
}
