/**
 * Makes one base of a base and closed segments, in a thread of its own: it reads and writes everything that the cluster
 * knows, and the scheduler's loop must not wait for that. Only files that nobody writes to any more are touched.
 */
import { Worker, workerData } from 'node:worker_threads';
import { InvariantError } from '@spillway/kernel';
import { listFiles, readState, writeBase } from './journal-files.js';

/** Brings everything up to the segment of this number into one base. Rejects when it cannot; all is as before then. */
export type Compact = (folder: string, upTo: number) => Promise<void>;

export async function compact(folder: string, upTo: number): Promise<void> {
  const { base, segments } = await listFiles(folder);
  const closed = segments.filter((number) => number <= upTo);
  if (closed.length === 0) return;
  const { state, damage } = await readState(folder, { base, segments: closed });
  if (damage !== undefined)
    throw new InvariantError(`${damage.path} is damaged at byte ${damage.offset}: it is left as it is.`);
  await writeBase(folder, upTo, state);
}

interface Settings {
  readonly folder: string;
  readonly upTo: number;
}

/** `entry`: a built file whose body calls `runCompactionThread()`. */
export function compactInThread(entry: URL): Compact {
  return (folder, upTo) =>
    new Promise((resolve, reject) => {
      const settings: Settings = { folder, upTo };
      const thread = new Worker(entry, { workerData: settings, name: 'spillway-journal' });
      thread.on('error', reject);
      thread.on('exit', () => resolve());
    });
}

/** The body of the thread. */
export async function runCompactionThread(): Promise<void> {
  const { folder, upTo } = workerData as Settings;
  await compact(folder, upTo);
}
