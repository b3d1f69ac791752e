/** What errors of the operating system mean for spilling. The one place that knows their codes. */
import type { SpillFailureReason } from '@spillway/messages';
import { codeOf } from '@spillway/platform';
import type { ReadFailureReason, SpillFailure } from './spill-disk.js';

const WRITE_REASONS: Readonly<Record<string, SpillFailureReason>> = {
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
  EROFS: 'read-only',
  EACCES: 'no-access',
  EPERM: 'no-access',
  ENOENT: 'folder-lost',
  ENOTDIR: 'folder-lost',
};

/** Too much is open, or too little memory is free, at this moment. */
const PASSING_CODES = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR']);

/** The record is not what was written: cut short, or bits of it have changed. */
export class DamagedRecordError extends Error {
  constructor(where: string, what: string) {
    super(
      `The spilled record at ${where} is damaged: ${what}. Its value is lost and has to be computed again.`,
    );
    this.name = 'DamagedRecordError';
  }
}

/** The segment that is written to is not in its folder any more. */
export class SegmentUnlinkedError extends Error {
  readonly code = 'ENOENT';
  constructor(path: string) {
    super(`The spill file ${path} has been removed by someone else.`);
    this.name = 'SegmentUnlinkedError';
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function writeFailure(error: unknown): SpillFailure {
  return { reason: WRITE_REASONS[codeOf(error)] ?? 'io-error', message: messageOf(error) };
}

export function readFailure(error: unknown): { reason: ReadFailureReason; message: string } {
  const message = messageOf(error);
  if (error instanceof DamagedRecordError) return { reason: 'damaged', message };
  return { reason: PASSING_CODES.has(codeOf(error)) ? 'unavailable' : 'gone', message };
}
