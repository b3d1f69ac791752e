import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';

/**
 * The `host:port` by which others reach a listener. A listener on all interfaces (0.0.0.0, ::) has no address of its own
 * that others could use: the first one of this machine that is not loopback is taken, as in a container it is the only
 * one. `contact` wins where it is given (behind NAT or a port mapping).
 */
export function contactAddressOf(
  listenAddress: string,
  contact: string | false,
  interfaces: Readonly<Record<string, NetworkInterfaceInfo[] | undefined>> = networkInterfaces(),
): string {
  const port = listenAddress.slice(listenAddress.lastIndexOf(':') + 1);
  // A contact without a port is for listeners whose port is chosen at start.
  if (contact !== false) return contact.includes(':') ? contact : `${contact}:${port}`;
  const host = listenAddress.slice(0, listenAddress.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  if (host !== '0.0.0.0' && host !== '::') return listenAddress;
  const outward = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4');
  return outward === undefined ? `127.0.0.1:${port}` : `${outward.address}:${port}`;
}
