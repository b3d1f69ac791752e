/**
 * The worker's store with its place: RAM and the folder and thread that write to disk, or the container that the user
 * gave. What is done about pressure is decided by the memory machine, which is told what the store can do.
 */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TaskKey } from '@spillway/kernel';
import type { SpillFailureReason } from '@spillway/messages';
import { scratchFolderOf, SpillFolder } from '@spillway/platform';
import type { Logger, SpillingStore } from '@spillway/ports';
import {
  ContainerStore,
  noDisk,
  spillRefusalText,
  SpillThread,
  TwoTierStore,
  writeFailure,
} from '@spillway/worker-store';
import { resolveContainer } from './container/resolve-container.js';
import type { WorkerData } from './container/worker-data.js';
import type { ResolvedWorker } from './worker-options.js';

export interface StoreHooks {
  /** An executing task uses the value. */
  readonly isInUse: (key: TaskKey) => boolean;
  /** What was on disk cannot be read back. */
  readonly onLost: (keys: readonly TaskKey[]) => void;
}

export interface OpenStore {
  readonly store: SpillingStore;
  /** `by-key`: any value, when asked. `by-itself`: the container chooses. `never`: it does not evict. */
  readonly evicts: 'by-key' | 'by-itself' | 'never';
  /** Where all spill folders of this user are, to be looked through for what dead workers left. */
  readonly root: string | undefined;
  /** Has the disk's isolate collect. */
  readonly collectGarbage: () => Promise<void>;
  readonly explainRefusal: (reason: SpillFailureReason) => string;
  /** Ends the thread and removes the files. */
  readonly close: () => Promise<void>;
  /** Removes the files of a process that ends without `close`. */
  readonly abandon: () => void;
}

/**
 * Rejects for what the user gave as `data` and is no container. Otherwise it never does: without a place on disk values
 * stay in RAM, and the memory machine is told why.
 */
export async function openStore(
  resolved: ResolvedWorker,
  logger: Logger,
  hooks: StoreHooks,
): Promise<OpenStore> {
  const { localDirectory, memory } = resolved.config.worker;
  if (resolved.data !== undefined) return inContainer(resolved, resolved.data, logger, hooks);
  const isSpilling = resolved.limitBytes !== false && (memory.target !== false || memory.spill !== false);
  // Nothing is ever evicted then, so nobody sees the reason.
  if (!isSpilling) return withoutDisk('folder-lost', hooks, localDirectory);
  const folder = await createFolder(resolved, logger);
  return 'reason' in folder
    ? withoutDisk(folder.reason, hooks, localDirectory)
    : onDisk(resolved, folder, logger, hooks);
}

async function createFolder(
  { config, nannyName, workerId }: ResolvedWorker,
  logger: Logger,
): Promise<SpillFolder | { readonly reason: SpillFailureReason }> {
  const { localDirectory } = config.worker;
  try {
    return await SpillFolder.create({ localDirectory, nannyName: nannyName ?? false, workerId });
  } catch (error) {
    const { reason } = writeFailure(error);
    const text = spillRefusalText(reason, placeOf(localDirectory));
    logger.warn({ event: 'spill.no-folder', err: error, reason }, text);
    return { reason };
  }
}

function onDisk(
  { config, programs }: ResolvedWorker,
  folder: SpillFolder,
  logger: Logger,
  hooks: StoreHooks,
): OpenStore {
  const { maxSpill, spillCompression, spillOnTmpfs } = config.worker.memory;
  const disk = new SpillThread({
    entry: programs.spillThread,
    folder: folder.path,
    compression: spillCompression,
    onEnded: (reason) =>
      logger.warn(
        { event: 'spill.thread-ended', reason },
        'the spill thread has ended; the next use starts another',
      ),
  });
  const isMemory = folder.fileSystem.memoryKind !== false && !spillOnTmpfs;
  const store = new TwoTierStore({
    disk,
    maxSpillBytes: maxSpill,
    ...(isMemory ? { refuseBecause: 'folder-is-memory' } : {}),
    ...hooks,
  });
  return {
    store,
    evicts: 'by-key',
    root: folder.root,
    collectGarbage: () => disk.collectGarbage(),
    explainRefusal: (reason) => spillRefusalText(reason, folder.path),
    close: async () => {
      await store.close();
      await folder.remove();
    },
    abandon: () => rmSync(folder.path, { recursive: true, force: true }),
  };
}

function withoutDisk(
  reason: SpillFailureReason,
  hooks: StoreHooks,
  localDirectory: string | false,
): OpenStore {
  const store = new TwoTierStore({ disk: noDisk(reason), maxSpillBytes: false, ...hooks });
  return {
    store,
    evicts: 'by-key',
    root: undefined,
    collectGarbage: () => Promise.resolve(),
    explainRefusal: (why) => spillRefusalText(why, placeOf(localDirectory)),
    close: () => store.close(),
    abandon: () => undefined,
  };
}

/** Its folder is in the worker's own, which goes with the worker. */
async function inContainer(
  { config, workerId }: ResolvedWorker,
  data: WorkerData,
  logger: Logger,
  { onLost }: StoreHooks,
): Promise<OpenStore> {
  const { localDirectory, installFolder } = config.worker;
  const { container, isOwned } = await resolveContainer(data, {
    localDirectory: join(scratchFolderOf(localDirectory, workerId), 'data'),
    installFolder: installFolder === false ? process.cwd() : installFolder,
  });
  const store = new ContainerStore({
    container,
    closesContainer: isOwned,
    onLost,
    onTrouble: ({ message, ...report }) =>
      logger.warn({ event: 'worker.container-trouble', ...report }, message),
  });
  return {
    store,
    evicts: store.canEvict ? 'by-itself' : 'never',
    root: undefined,
    collectGarbage: () => Promise.resolve(),
    explainRefusal: (reason) => `The container that holds this worker's values frees no memory (${reason}).`,
    close: () => store.close(),
    abandon: () => undefined,
  };
}

const placeOf = (localDirectory: string | false): string =>
  localDirectory === false ? tmpdir() : localDirectory;
