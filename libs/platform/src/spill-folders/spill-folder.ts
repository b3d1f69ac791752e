/**
 * The folder of one worker's life, below the nanny's: `<local directory>/spillway/<nanny>/<worker id>/`. What lies in
 * it is the files of the worker's store and the owner file. Removing what dead owners left is reap-leftovers.ts.
 */
import { lstat, mkdir, mkdtemp, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '../error-code.js';
import { fileSystemOf, type FileSystem } from './file-system.js';
import { folderName } from './folder-name.js';
import { formatOwner, OWNER_FILE, thisProcess } from './owner.js';

export interface SpillFolderOptions {
  /** `worker.local-directory`; `false` means the operating system's folder for temporary files. */
  readonly localDirectory: string | false;
  /** `false`: this worker has no nanny. */
  readonly nannyName: string | false;
  readonly workerId: string;
}

/** Folders that are being made. Their names start with a dot; those of finished ones never do. */
const UNFINISHED = '.new-';
const PRIVATE = { mode: 0o700 } as const;
/** Someone who tidies up may remove an empty folder between two steps of ours. */
const TRIES_MAX = 20;

export class SpillFolder {
  private constructor(
    /** Where all spill folders of this user below the local directory are; for `reapLeftovers`. */
    readonly root: string,
    readonly path: string,
    readonly fileSystem: FileSystem,
  ) {}

  /** Rejects with the operating system's error when there is no place for it. */
  static async create(options: SpillFolderOptions): Promise<SpillFolder> {
    for (let tryCount = 1; ; tryCount++) {
      try {
        return await SpillFolder.#tryToCreate(options);
      } catch (error) {
        if (codeOf(error) !== 'ENOENT' || tryCount === TRIES_MAX) throw error;
      }
    }
  }

  static async #tryToCreate(options: SpillFolderOptions): Promise<SpillFolder> {
    const { localDirectory, nannyName, workerId } = options;
    const root = await ownRoot(localDirectory === false ? tmpdir() : localDirectory);
    const parent = join(root, nannyName === false ? 'no-nanny' : folderName(`nanny-${nannyName}`));
    const path = join(parent, folderName(workerId));
    await makeWhole(parent, path);
    return new SpillFolder(root, path, await fileSystemOf(path));
  }

  /** Removes it with all in it, and the folders above it that are empty now. */
  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 });
    for (const above of [join(this.path, '..'), this.root]) await rmdir(above).catch(() => undefined);
  }
}

/** It appears under its name only once its owner file is in it: others see it with its owner or not at all. */
async function makeWhole(parent: string, path: string): Promise<void> {
  await makePrivate(parent);
  const unfinished = await mkdtemp(join(parent, UNFINISHED));
  try {
    await writeFile(join(unfinished, OWNER_FILE), formatOwner(thisProcess()), { mode: 0o600 });
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

/**
 * `spillway` in the local directory. A folder of temporary files is everybody's: where another user has made one of
 * that name (or a link that leads elsewhere), ours has our user id in its name.
 */
async function ownRoot(localDirectory: string): Promise<string> {
  await mkdir(localDirectory, { recursive: true });
  for (const name of ['spillway', `spillway-${process.getuid?.() ?? 'user'}`]) {
    const root = join(localDirectory, name);
    await makePrivate(root);
    if (await isOwn(root)) return root;
  }
  return mkdtemp(join(localDirectory, 'spillway-'));
}

/**
 * One folder, not those above it too: a recursive mkdir says ENOTDIR instead of ENOENT when a folder above is removed
 * between its two looks, and that is not to be told from a file in the way.
 */
async function makePrivate(folder: string): Promise<void> {
  await mkdir(folder, PRIVATE).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
}

async function isOwn(folder: string): Promise<boolean> {
  const found = await lstat(folder);
  const isMine = process.getuid === undefined || found.uid === process.getuid();
  return found.isDirectory() && isMine && (found.mode & 0o022) === 0;
}
