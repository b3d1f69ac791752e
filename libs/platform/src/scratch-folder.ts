import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A worker's own folder, for what no other process needs. The worker removes it when it closes, its nanny when it was killed.
 * Not by process id: containers that share a volume have the same ones.
 */
export function scratchFolderOf(localDirectory: string | false, workerId: string): string {
  const parent = localDirectory === false ? tmpdir() : localDirectory;
  return join(parent, `spillway-${workerId.replaceAll(/[^A-Za-z0-9_-]/g, '-')}`);
}

/** Never rejects: what cannot be removed stays, and `onFailure` hears why. A folder that was never made is fine. */
export async function removeScratchFolder(path: string, onFailure: (error: unknown) => void): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(onFailure);
}
