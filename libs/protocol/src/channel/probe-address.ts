/**
 * Whether anybody answers at an address, found out by a connection of our own. grpc-js does not break off a connection
 * attempt when its channel is closed, so one to a host that is silent would keep the process alive for the minutes until
 * the kernel gives up; this one ends when we say so.
 */
import { connect } from 'node:net';
import { UnavailableError } from '@spillway/kernel';

/** Resolves once a connection was made (and closed again). Rejects with `UnavailableError`, at the latest after `timeoutMs`. */
export function probeAddress(address: string, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  const { host, port } = partsOf(address);
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(new UnavailableError(`The connection to ${address} was broken off on this side.`));
      return;
    }
    const socket = connect({ host, port });
    const timer = setTimeout(() => end(`No connection to ${address} within ${timeoutMs} ms.`), timeoutMs);
    const abort = (): void => end(`The connection to ${address} was broken off on this side.`);
    const end = (problem: string | undefined, cause?: Error): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      socket.destroy();
      if (problem === undefined) resolve();
      else reject(new UnavailableError(problem, { cause }));
    };
    signal?.addEventListener('abort', abort, { once: true });
    socket.once('connect', () => end(undefined));
    socket.once('error', (error) => end(`Nobody answers at ${address}: ${error.message}.`, error));
  });
}

function partsOf(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
}
