/**
 * Removes the spill folders of owners that are dead: workers that were killed, and whose nanny was too. Folders whose
 * owner lives are never touched, and those whose owner cannot be looked up (another container on the same volume) only
 * once nobody has kept them fresh for long: call again from time to time while there are such.
 */
import { existsSync } from 'node:fs';
import { lstat, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { OWNER_FILE, OWNER_SILENT_MS_MAX, parseOwner, stateOf } from './owner.js';

export interface ReapOptions {
  /** `SpillFolder.root`. */
  readonly root: string;
  readonly nowMs: number;
  /** How long an owner that cannot be looked up may be silent. Default 10 minutes. */
  readonly silentMsMax?: number;
  /** Folders to leave to others although their owner is dead: those a successor is going to adopt. */
  readonly spare?: (path: string) => boolean;
}

export interface Reaped {
  readonly removed: readonly string[];
  readonly liveCount: number;
  /** Left for now: whether their owners live is not known. */
  readonly undecidedCount: number;
}

/** Taken from its name by one reaper, so that no other counts on what is in it. */
const CLAIMED = '.dead-';
/** A reaper that removes nothing for so long has died. */
const REMOVING_MS_MAX = 60_000;

/** What cannot be read or removed is left; it never rejects. */
export async function reapLeftovers(options: ReapOptions): Promise<Reaped> {
  const removed: string[] = [];
  const counts = { alive: 0, unknown: 0 };
  for (const parent of await foldersIn(options.root)) {
    for (const path of await foldersIn(parent)) {
      if (options.spare?.(path) === true) continue;
      const state = await ownerState(path, options);
      if (state !== 'dead') counts[state]++;
      else if (await removeClaimed(parent, path)) removed.push(path);
    }
    await rmdir(parent).catch(() => undefined);
  }
  return { removed, liveCount: counts.alive, undecidedCount: counts.unknown };
}

async function ownerState(
  path: string,
  { nowMs, silentMsMax = OWNER_SILENT_MS_MAX }: ReapOptions,
): Promise<'alive' | 'dead' | 'unknown'> {
  if (basename(path).startsWith(CLAIMED)) return isOlder(path, nowMs, REMOVING_MS_MAX);
  const ownerFile = join(path, OWNER_FILE);
  const owner = await readFile(ownerFile, 'utf8').then(parseOwner, () => undefined);
  const state = owner === undefined ? 'unknown' : stateOf(owner);
  if (state !== 'unknown') return state;
  // No owner file: being made, or half removed by a reaper that died. Its own age counts then.
  return isOlder(existsSync(ownerFile) ? ownerFile : path, nowMs, silentMsMax);
}

async function isOlder(path: string, nowMs: number, ageMsMax: number): Promise<'dead' | 'unknown'> {
  const { mtimeMs } = await lstat(path).catch(() => ({ mtimeMs: nowMs }));
  return nowMs - mtimeMs > ageMsMax ? 'dead' : 'unknown';
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
