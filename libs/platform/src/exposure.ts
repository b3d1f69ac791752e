import { isIP } from 'node:net';
import { InvalidConfigError } from '@spillway/kernel';

/** Whether only this machine can reach a host. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

/**
 * Refuses to listen where others can reach us without TLS or an explicit word (architecture.md D14): whoever reaches a
 * port of Spillway can run code.
 */
export function checkExposure(listen: {
  readonly what: string;
  readonly host: string;
  readonly hasTls: boolean;
  readonly insecure: boolean;
}): void {
  if (isLoopback(listen.host) || listen.hasTls || listen.insecure) return;
  throw new InvalidConfigError(
    `The ${listen.what} will not listen on ${listen.host}: whoever reaches it can run code, and it has no TLS. ` +
      `Set tls.cert and tls.key, or say --insecure (security.insecure) if the network itself is closed.`,
    { details: { host: listen.host } },
  );
}
