/**
 * Removes the spill folders of owners that are dead: workers that were killed. One that the worker's next life may adopt is
 * left to it for a while. Folders whose owner lives are never touched, and those whose owner cannot be looked up (another
 * container on the same volume) only once nobody has kept them fresh for long: call again from time to time while there are
 * such.
 */
import { lstat, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  isLaterThan,
  OWNER_FILE,
  OWNER_SILENT_MS_MAX,
  parseOwner,
  stateOf,
  type Owner,
  type OwnerState,
} from './owner.js';
import { existingRoot, nannyFolder } from './roots.js';

export interface ReapOptions {
  /** `SpillFolder.root`. */
  readonly root: string;
  readonly nowMs: number;
  /** How long an owner that cannot be looked up may be silent. Default 10 minutes. */
  readonly silentMsMax?: number;
  /** How long a folder is left to the next life of its worker, from the last beat of the one before. Default 10 minutes. */
  readonly leftMsMax?: number;
}

export interface Reaped {
  readonly removed: readonly string[];
  readonly liveCount: number;
  /** Left for now: whether their owners live is not known, or they are left to a next life. */
  readonly undecidedCount: number;
}

interface Folder {
  readonly path: string;
  readonly owner: Owner | undefined;
  readonly isClaimed: boolean;
  /** Of the owner file; of the folder itself where there is none: being made, or half removed by a reaper that died. */
  readonly touchedAtMs: number;
}

/** Taken from its name by one reaper, so that no other counts on what is in it. */
const CLAIMED = '.dead-';
/** A reaper that removes nothing for so long has died. */
const REMOVING_MS_MAX = 60_000;

/** What cannot be read or removed is left; it never rejects. */
export async function reapLeftovers(options: ReapOptions): Promise<Reaped> {
  const all: Reaped[] = [];
  for (const parent of await foldersIn(options.root)) all.push(await reapBelow(parent, options));
  return {
    removed: all.flatMap(({ removed }) => removed),
    liveCount: all.reduce((sum, { liveCount }) => sum + liveCount, 0),
    undecidedCount: all.reduce((sum, { undecidedCount }) => sum + undecidedCount, 0),
  };
}

/** A nanny has ended for good: nobody will adopt what its dead workers left. It never rejects. */
export async function reapNanny(
  localDirectory: string | false,
  nannyName: string,
  nowMs: number,
): Promise<Reaped> {
  const root = await existingRoot(localDirectory);
  if (root === undefined) return { removed: [], liveCount: 0, undecidedCount: 0 };
  const reaped = await reapBelow(join(root, nannyFolder(nannyName)), { root, nowMs, leftMsMax: 0 });
  await rmdir(root).catch(() => undefined);
  return reaped;
}

async function reapBelow(parent: string, options: ReapOptions): Promise<Reaped> {
  const removed: string[] = [];
  const counts = { alive: 0, unknown: 0 };
  const paths = await foldersIn(parent);
  const folders = await Promise.all(paths.map((path) => lookAt(path, options.nowMs)));
  for (const folder of folders) {
    const state = fateOf(folder, folders, options);
    if (state !== 'dead') counts[state]++;
    else if (await removeClaimed(parent, folder.path)) removed.push(folder.path);
  }
  await rmdir(parent).catch(() => undefined);
  return { removed, liveCount: counts.alive, undecidedCount: counts.unknown };
}

async function lookAt(path: string, nowMs: number): Promise<Folder> {
  const ownerFile = join(path, OWNER_FILE);
  const owner = await readFile(ownerFile, 'utf8').then(parseOwner, () => undefined);
  const isClaimed = basename(path).startsWith(CLAIMED);
  const touched = await lstat(isClaimed ? path : ownerFile)
    .catch(() => lstat(path))
    .catch(() => ({ mtimeMs: nowMs }));
  return { path, owner, isClaimed, touchedAtMs: touched.mtimeMs };
}

function fateOf(folder: Folder, beside: readonly Folder[], options: ReapOptions): OwnerState {
  const { nowMs, silentMsMax = OWNER_SILENT_MS_MAX, leftMsMax = OWNER_SILENT_MS_MAX } = options;
  const { owner, isClaimed, touchedAtMs } = folder;
  const silentMs = nowMs - touchedAtMs;
  if (isClaimed) return silentMs > REMOVING_MS_MAX ? 'dead' : 'unknown';
  const state = owner === undefined ? 'unknown' : stateOf(owner);
  if (state === 'unknown') return silentMs > silentMsMax ? 'dead' : 'unknown';
  if (state === 'dead' && silentMs < leftMsMax && isLeft(owner, beside)) return 'unknown';
  return state;
}

/** To a next life that has not come yet. */
function isLeft(owner: Owner | undefined, beside: readonly Folder[]): boolean {
  if (owner?.leavesTo === undefined) return false;
  return !beside.some(
    ({ owner: other }) =>
      other !== undefined && other.leavesTo === owner.leavesTo && isLaterThan(other, owner),
  );
}

/** False when another was faster, or it cannot be removed. */
async function removeClaimed(parent: string, path: string): Promise<boolean> {
  const claimed = join(parent, `${CLAIMED}${process.pid}-${Math.trunc(performance.now() * 1000)}`);
  try {
    await rename(path, claimed);
    await rm(claimed, { recursive: true, force: true, maxRetries: 3 });
    return true;
  } catch {
    return false;
  }
}

/** Links are no folders: what they lead to is not ours. */
async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
}
