/**
 * The worker's store with its place: RAM and the folder and thread that write to disk, or the container that the user
 * gave. What is done about pressure is decided by the memory machine, which is told what the store can do.
 */
import { join } from 'node:path';
import type { TaskKey } from '@spillway/kernel';
import type { SpillFailureReason } from '@spillway/messages';
import { spills } from '@spillway/config';
import { scratchFolderOf } from '@spillway/platform';
import type { AdoptedValue, Logger, SpillingStore } from '@spillway/ports';
import { ContainerStore, noDisk, spillRefusalText, TwoTierStore } from '@spillway/worker-store';
import { resolveContainer } from './container/resolve-container.js';
import type { WorkerData } from './container/worker-data.js';
import { createFolder, placeOf, storeOnDisk } from './store-on-disk.js';
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
  /** What a former life of the worker left, and the store has now. */
  readonly adopted: readonly AdoptedValue[];
  /** The next life of the worker may adopt what is on disk. */
  readonly leavesValues: boolean;
  /** Has the disk's isolate collect. */
  readonly collectGarbage: () => Promise<void>;
  readonly explainRefusal: (reason: SpillFailureReason) => string;
  /** What was adopted has done no harm so far. */
  readonly prove: () => Promise<void>;
  /** Ends the thread, and removes the files unless they are left to the next life. */
  readonly close: (leavesValues: boolean) => Promise<void>;
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
  // Nothing is ever evicted then, so nobody sees the reason.
  if (!spills(memory, resolved.limitBytes)) return withoutDisk('folder-lost', hooks, localDirectory);
  const folder = await createFolder(resolved, logger);
  return 'reason' in folder
    ? withoutDisk(folder.reason, hooks, localDirectory)
    : storeOnDisk(resolved, folder, logger, hooks);
}

/** What is the same wherever there is no folder to spill to. */
const NO_FOLDER = {
  root: undefined,
  adopted: [],
  leavesValues: false,
  collectGarbage: () => Promise.resolve(),
  prove: () => Promise.resolve(),
  abandon: () => undefined,
} as const;

function withoutDisk(
  reason: SpillFailureReason,
  hooks: StoreHooks,
  localDirectory: string | false,
): OpenStore {
  const store = new TwoTierStore({ disk: noDisk(reason), maxSpillBytes: false, ...hooks });
  return {
    store,
    ...NO_FOLDER,
    evicts: 'by-key',
    explainRefusal: (why) => spillRefusalText(why, placeOf(localDirectory)),
    close: () => store.close(),
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
    ...NO_FOLDER,
    evicts: store.canEvict ? 'by-itself' : 'never',
    explainRefusal: (reason) => `The container that holds this worker's values frees no memory (${reason}).`,
    close: () => store.close(),
  };
}
