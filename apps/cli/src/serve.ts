import { onShutdown, tellParent, type ShutdownCause } from '@spillway/platform';
import { EXIT, ExitRequest } from './exit-codes.js';

export interface Served {
  /** Facts for a parent process, a `--json` reader, and people. */
  readonly ready: Readonly<Record<string, unknown>> & { readonly address: string };
  /** Resolves when the program has ended by itself, with its exit code. */
  readonly ended?: Promise<number>;
  /** Longest time that closing may take in order. Default 20 s. */
  readonly closeMsMax?: number;
  /** `hasTime`: it was SIGTERM, so there is a while until somebody loses patience. */
  close(reason: string, hasTime: boolean): Promise<void>;
}

/** Longest time a program takes to close in order; after it, it just ends. Below what service managers allow. */
const CLOSE_DEADLINE_MS = 20_000;

/** Says that the program is ready, keeps it running until it is told to end, and closes it in order. */
export async function serve(served: Served): Promise<never> {
  tellParent({ type: 'ready', ...served.ready });
  // Nothing else keeps the process alive while it merely waits.
  const keepAlive = setInterval(() => undefined, 2 ** 30);
  const exitCode = await Promise.race([
    new Promise<ShutdownCause>((resolve) => onShutdown(resolve)).then((cause) => closeFor(cause, served)),
    ...(served.ended === undefined ? [] : [served.ended]),
  ]);
  clearInterval(keepAlive);
  throw new ExitRequest(exitCode);
}

async function closeFor(cause: ShutdownCause, served: Served): Promise<number> {
  setTimeout(() => process.exit(EXIT.failed), served.closeMsMax ?? CLOSE_DEADLINE_MS).unref();
  await served.close(cause, cause === 'SIGTERM');
  return cause === 'SIGINT' ? EXIT.interrupted : EXIT.ok;
}
