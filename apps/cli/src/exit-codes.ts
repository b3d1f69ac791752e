import { SpillwayError } from '@spillway/kernel';

/** What `spillway` exits with (conventions I03). */
export const EXIT = { ok: 0, failed: 1, usage: 2, cannotConnect: 3, timeout: 4, interrupted: 130 } as const;

/** Ends a command with an exit code and nothing more to say. */
export class ExitRequest extends Error {
  constructor(readonly exitCode: number) {
    super(`exit ${exitCode}`);
  }
}

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof SpillwayError)) return EXIT.failed;
  switch (error.code) {
    case 'INVALID_CONFIG':
    case 'INVALID_ARGUMENT':
    case 'UNKNOWN_WORKER':
    case 'NO_NANNY':
      return EXIT.usage;
    case 'CLUSTER_UNREACHABLE':
    case 'SESSION_EXPIRED':
    case 'VERSION_MISMATCH':
    case 'UNAVAILABLE':
      return EXIT.cannotConnect;
    case 'DEADLINE_EXCEEDED':
    case 'WORKER_START_TIMEOUT':
      return EXIT.timeout;
    default:
      return EXIT.failed;
  }
}
