/** A worker takes over the folder of its former life, with what is in it. */
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../error-code.js';
import { formatOwner, isLaterThan, OWNER_FILE, parseOwner, stateOf, type Owner } from './owner.js';

/** What so many lives in a row did not survive is not adopted again. */
const UNPROVEN_LIVES_MAX = 3;

/**
 * Of the folders that dead workers of this name left beside `path`, the newest is at `path` from then on. False when there
 * is none, or somebody else was faster. Rejects with the operating system's error.
 */
export async function claimFormerFolder(parent: string, path: string, owner: Owner): Promise<boolean> {
  const former = await newestLeftTo(parent, owner.leavesTo);
  if (former === undefined) return false;
  const unprovenLives = (former.owner.unprovenLives ?? 0) + 1;
  if (unprovenLives > UNPROVEN_LIVES_MAX) return false;
  const claimed = { ...owner, unprovenLives };
  try {
    // Order matters: under its new name it is never seen with a dead owner, who would have it removed.
    await writeOwner(former.path, claimed);
    await rename(former.path, path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
  // Somebody else may have wanted it too, and come second.
  await writeOwner(path, claimed);
  return true;
}

/** In one go, so that nobody reads half of it; in its place on a disk with no room for another file. */
export async function writeOwner(folder: string, owner: Owner): Promise<void> {
  const path = join(folder, OWNER_FILE);
  const [fresh, text] = [`${path}.new`, formatOwner(owner)];
  try {
    await writeFile(fresh, text, { mode: 0o600 });
    await rename(fresh, path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw error;
    await rm(fresh, { recursive: true, force: true });
    // Whoever reads half of it does not know whether the owner lives, and leaves the folder alone.
    await writeFile(path, text);
  }
}

async function newestLeftTo(
  parent: string,
  workerName: string | undefined,
): Promise<{ readonly path: string; readonly owner: Owner } | undefined> {
  if (workerName === undefined) return undefined;
  let newest: { path: string; owner: Owner } | undefined;
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    const owner = await readFile(join(path, OWNER_FILE), 'utf8').then(parseOwner, () => undefined);
    if (owner?.leavesTo !== workerName || stateOf(owner) !== 'dead') continue;
    if (newest === undefined || isLaterThan(owner, newest.owner)) newest = { path, owner };
  }
  return newest;
}
