/**
 * The folder of one worker's life, below the nanny's: `<local directory>/spillway/<nanny>/<worker id>/`. What lies in
 * it is the files of the worker's store and the owner file. It may be one that the worker's former life left. Removing what
 * dead owners left is reap-leftovers.ts.
 */
import { mkdtemp, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../error-code.js';
import { claimFormerFolder, writeOwner } from './claim-former-folder.js';
import { fileSystemOf, type FileSystem } from './file-system.js';
import { folderName } from './folder-name.js';
import { formatOwner, OWNER_FILE, thisProcess, type Owner } from './owner.js';
import { makePrivate, nannyFolder, ownRoot } from './roots.js';

export interface SpillFolderOptions {
  /** `worker.local-directory`; `false` means the operating system's folder for temporary files. */
  readonly localDirectory: string | false;
  /** `false`: this worker has no nanny. */
  readonly nannyName: string | false;
  readonly workerId: string;
  /** The worker's name, if it adopts what its former life left below this nanny, and leaves the same to its next. */
  readonly adoptsAs?: string;
}

/** Folders that are being made. Their names start with a dot; those of finished ones never do. */
const UNFINISHED = '.new-';
/** Someone who tidies up may remove an empty folder between two steps of ours. */
const TRIES_MAX = 20;

export class SpillFolder {
  private constructor(
    /** Where all spill folders of this user below the local directory are; for `reapLeftovers`. */
    readonly root: string,
    readonly path: string,
    readonly fileSystem: FileSystem,
    /** What a former life of the worker left is in it. */
    readonly isAdopted: boolean,
    private readonly owner: Owner,
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
    const { localDirectory, nannyName, workerId, adoptsAs } = options;
    const root = await ownRoot(localDirectory);
    const parent = join(root, nannyName === false ? 'no-nanny' : nannyFolder(nannyName));
    const path = join(parent, folderName(workerId));
    const owner = thisProcess(adoptsAs);
    await makePrivate(parent);
    const isAdopted = await claimFormerFolder(parent, path, owner);
    if (!isAdopted) await makeWhole(parent, path, owner);
    return new SpillFolder(root, path, await fileSystemOf(path), isAdopted, owner);
  }

  /** What is in it did its owner no harm: its next life may adopt it. */
  async prove(): Promise<void> {
    if (this.isAdopted) await writeOwner(this.path, this.owner);
  }

  /** Removes it with all in it, and the folders above it that are empty now. */
  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 });
    for (const above of [join(this.path, '..'), this.root]) await rmdir(above).catch(() => undefined);
  }
}

/** It appears under its name only once its owner file is in it: others see it with its owner or not at all. */
async function makeWhole(parent: string, path: string, owner: Owner): Promise<void> {
  const unfinished = await mkdtemp(join(parent, UNFINISHED));
  try {
    await writeFile(join(unfinished, OWNER_FILE), formatOwner(owner), { mode: 0o600 });
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}
