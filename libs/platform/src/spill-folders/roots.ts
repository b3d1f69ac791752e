/** Where spill folders are: one folder of this user's below the local directory, and one in it for each nanny. */
import { lstat, mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '../error-code.js';
import { folderName } from './folder-name.js';

const PRIVATE = { mode: 0o700 } as const;

/** Below the root. */
export const nannyFolder = (nannyName: string): string => folderName(`nanny-${nannyName}`);

/**
 * `spillway` in the local directory. A folder of temporary files is everybody's: where another user has made one of
 * that name (or a link that leads elsewhere), ours has our user id in its name.
 */
export async function ownRoot(localDirectory: string | false): Promise<string> {
  const above = placeOf(localDirectory);
  await mkdir(above, { recursive: true });
  for (const root of rootsIn(above)) {
    await makePrivate(root);
    if (await isOwn(root)) return root;
  }
  return mkdtemp(join(above, 'spillway-'));
}

/** The one that `ownRoot` has made there, if it has. */
export async function existingRoot(localDirectory: string | false): Promise<string | undefined> {
  for (const root of rootsIn(placeOf(localDirectory))) if (await isOwn(root).catch(() => false)) return root;
  return undefined;
}

const placeOf = (localDirectory: string | false): string =>
  localDirectory === false ? tmpdir() : localDirectory;

const rootsIn = (above: string): string[] =>
  ['spillway', `spillway-${process.getuid?.() ?? 'user'}`].map((name) => join(above, name));

/**
 * One folder, not those above it too: a recursive mkdir says ENOTDIR instead of ENOENT when a folder above is removed
 * between its two looks, and that is not to be told from a file in the way.
 */
export async function makePrivate(folder: string): Promise<void> {
  await mkdir(folder, PRIVATE).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
}

async function isOwn(folder: string): Promise<boolean> {
  const found = await lstat(folder);
  const isMine = process.getuid === undefined || found.uid === process.getuid();
  return found.isDirectory() && isMine && (found.mode & 0o022) === 0;
}
