/** How a proxy tells its own test's client from the programs of the cluster. */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { Admission } from '@spillway/testkit';

/** Connections that this process has made. */
const ownSockets = new Set<Socket>();
subscribe('net.client.socket', (message) => {
  const { socket } = message as { readonly socket: Socket };
  ownSockets.add(socket);
  socket.on('close', () => ownSockets.delete(socket));
});
const isOwn = (connection: Socket): boolean =>
  [...ownSockets].some(({ localPort }) => localPort !== undefined && localPort === connection.remotePort);

/** Connections of this process are admitted like so, all others are forwarded. */
export const admitOwn =
  (own: Admission) =>
  (connection: Socket): Admission =>
    own !== 'forwarded' && isOwn(connection) ? own : 'forwarded';
