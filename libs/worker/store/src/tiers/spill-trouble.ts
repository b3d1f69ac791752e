/**
 * What is known of why spilling does not work, and when to try again. A disk that is full or gone is left alone for a
 * while: trying each value in vain would cost time and a message each. Time comes in as an argument.
 */
import type { SpillFailureReason } from '@spillway/ports';
import type { SpillFailure } from '../disk/spill-disk.js';

export interface SpillTroubleReport {
  readonly reason: SpillFailureReason;
  /** What happened, to what, what became of the data, and what to do. */
  readonly message: string;
}

export interface SpillTroubleOptions {
  /** For the message. */
  readonly folder: string;
  /** How long a disk that failed is left alone. Default 10 s. */
  readonly retryAfterMs?: number;
  /** Between two reports. Default 60 s. */
  readonly reportEveryMs?: number;
  readonly onTrouble?: (report: SpillTroubleReport) => void;
}

const RETRY_AFTER_MS = 10_000;
const REPORT_EVERY_MS = 60_000;

const CAUSES: Readonly<Record<SpillFailureReason, string>> = {
  'disk-full': 'the disk is full. Free space there, or point worker.local-directory to a larger disk',
  'read-only': 'the file system is read-only. Point worker.local-directory to one that can be written to',
  'no-access': 'access was denied. Check who owns the folder, or set worker.local-directory',
  'folder-lost': 'the folder has gone. Keep whatever tidies up away from worker.local-directory',
  'limit-reached': 'worker.memory.max-spill is reached. Raise it, or give the worker more memory',
  'folder-is-memory':
    'the folder is on a file system that is memory itself. Point worker.local-directory to a disk, or set worker.memory.spill-on-tmpfs',
  'io-error': 'reading or writing failed. Check the disk and the log of the system',
  'thread-ended': 'the thread that does it has ended. If that happens again, report it',
  closed: 'the worker is closing',
};

export class SpillTrouble {
  #because: SpillFailureReason | undefined;
  #retryAtMs = 0;
  #reportedAtMs = -Infinity;

  constructor(private readonly options: SpillTroubleOptions) {}

  get because(): SpillFailureReason | undefined {
    return this.#because;
  }

  /** Why not to try at this moment; `undefined`: try. */
  refusal(nowMs: number): SpillFailureReason | undefined {
    return this.#because !== undefined && nowMs < this.#retryAtMs ? this.#because : undefined;
  }

  failed(failure: SpillFailure, nowMs: number): void {
    if (failure.reason === 'closed') return;
    this.#because = failure.reason;
    // A smaller value may still fit below the limit.
    const retryAfterMs =
      failure.reason === 'limit-reached' ? 0 : (this.options.retryAfterMs ?? RETRY_AFTER_MS);
    this.#retryAtMs = nowMs + retryAfterMs;
    this.#report(failure, nowMs);
  }

  /** Never to be tried at all. */
  refuseForEver(reason: SpillFailureReason): void {
    this.#because = reason;
    this.#retryAtMs = Infinity;
  }

  succeeded(): void {
    if (this.#retryAtMs !== Infinity) this.#because = undefined;
  }

  /** Something was deleted from the disk. */
  roomMade(): void {
    if (this.#because === 'disk-full' || this.#because === 'limit-reached') this.#because = undefined;
  }

  /** Something was refused without being tried: tells so once in a while. */
  remind(nowMs: number): void {
    if (this.#because !== undefined) this.#report({ reason: this.#because, message: '' }, nowMs);
  }

  #report({ reason, message }: SpillFailure, nowMs: number): void {
    const { folder, reportEveryMs = REPORT_EVERY_MS, onTrouble } = this.options;
    if (nowMs - this.#reportedAtMs < reportEveryMs) return;
    this.#reportedAtMs = nowMs;
    const said = message === '' ? '' : ` (${message})`;
    onTrouble?.({
      reason,
      message: `Values cannot be spilled to ${folder}: ${CAUSES[reason]}. Until then they stay in memory${said}.`,
    });
  }
}
