/** What people are told when values cannot be spilled: why, what became of them, and what to do. */
import type { SpillFailureReason } from '@spillway/messages';

const CAUSES: Readonly<Record<SpillFailureReason, string>> = {
  'disk-full': 'the disk is full. Free space there, or point worker.local-directory to a larger disk',
  'read-only': 'the file system is read-only. Point worker.local-directory to one that can be written to',
  'no-access': 'access was denied. Check who owns the folder, or set worker.local-directory',
  'folder-lost':
    'the folder is gone, or could not be made. Check worker.local-directory, and keep whatever tidies up away from it',
  'limit-reached': 'worker.memory.max-spill is reached. Raise it, or give the worker more memory',
  'folder-is-memory':
    'the folder is on a file system that is memory itself. Point worker.local-directory to a disk, or set worker.memory.spill-on-tmpfs',
  'io-error': 'reading or writing failed. Check the disk and the log of the system',
  'thread-ended': 'the thread that does it has ended. If that happens again, report it',
  closed: 'the worker is closing',
};

export function spillRefusalText(reason: SpillFailureReason, folder: string): string {
  return `Values cannot be spilled to ${folder}: ${CAUSES[reason]}. Until then they stay in memory.`;
}
