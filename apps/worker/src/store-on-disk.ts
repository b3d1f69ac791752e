/** The store whose second tier is a folder of the worker's own: a new one, or the one that its former life left. */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { leavesValues } from '@spillway/config';
import { aboutBytes } from '@spillway/kernel';
import type { SpillFailureReason } from '@spillway/messages';
import { SpillFolder, systemClock } from '@spillway/platform';
import type { AdoptedValue, Logger } from '@spillway/ports';
import {
  scanSpillFolder,
  spillRefusalText,
  SpillThread,
  TwoTierStore,
  writeFailure,
} from '@spillway/worker-store';
import type { OpenStore, StoreHooks } from './open-store.js';
import type { ResolvedWorker } from './worker-options.js';

export const placeOf = (localDirectory: string | false): string =>
  localDirectory === false ? tmpdir() : localDirectory;

export async function createFolder(
  resolved: ResolvedWorker,
  logger: Logger,
): Promise<SpillFolder | { readonly reason: SpillFailureReason }> {
  const { nannyName = false, workerId } = resolved;
  const { localDirectory } = resolved.config.worker;
  const adoptsAs = leavesTo(resolved);
  try {
    return await SpillFolder.create({
      localDirectory,
      nannyName,
      workerId,
      ...(adoptsAs === undefined ? {} : { adoptsAs }),
    });
  } catch (error) {
    const { reason } = writeFailure(error);
    const text = spillRefusalText(reason, placeOf(localDirectory));
    logger.warn({ event: 'spill.no-folder', err: error, reason }, text);
    return { reason };
  }
}

/** Name of the worker whose next life may adopt what this one has on disk: its own, if it has a nanny that starts it again. */
function leavesTo({ config, nannyName, limitBytes, name }: ResolvedWorker): string | undefined {
  return nannyName !== undefined && leavesValues(config.worker, limitBytes) ? name : undefined;
}

export async function storeOnDisk(
  resolved: ResolvedWorker,
  folder: SpillFolder,
  logger: Logger,
  hooks: StoreHooks,
): Promise<OpenStore> {
  const { maxSpill, spillOnTmpfs } = resolved.config.worker.memory;
  const disk = spillThread(resolved, folder, logger);
  const isMemory = folder.fileSystem.memoryKind !== false && !spillOnTmpfs;
  const isLeft = leavesTo(resolved) !== undefined;
  const store = new TwoTierStore({
    disk,
    maxSpillBytes: maxSpill,
    leavesValues: isLeft,
    ...(isMemory ? { refuseBecause: 'folder-is-memory' } : {}),
    ...hooks,
  });
  return {
    store,
    evicts: 'by-key',
    root: folder.root,
    adopted: folder.isAdopted ? await adopt(store, folder, logger) : [],
    leavesValues: isLeft,
    collectGarbage: () => disk.collectGarbage(),
    explainRefusal: (reason) => spillRefusalText(reason, folder.path),
    prove: () =>
      folder.prove().catch((err: unknown) => logger.warn({ err }, 'the owner file could not be written')),
    close: async (leaves) => {
      await store.close();
      if (!leaves) await folder.remove();
    },
    abandon: () => rmSync(folder.path, { recursive: true, force: true }),
  };
}

function spillThread(resolved: ResolvedWorker, folder: SpillFolder, logger: Logger): SpillThread {
  const name = leavesTo(resolved);
  return new SpillThread({
    entry: resolved.programs.spillThread,
    folder: folder.path,
    ...(name === undefined ? {} : { leavesTo: name }),
    compression: resolved.config.worker.memory.spillCompression,
    onEnded: (reason) =>
      logger.warn(
        { event: 'spill.thread-ended', reason },
        'the spill thread has ended; the next use starts another',
      ),
  });
}

/** Never rejects: what cannot be found out is computed again. */
async function adopt(
  store: TwoTierStore,
  { path }: SpillFolder,
  logger: Logger,
): Promise<readonly AdoptedValue[]> {
  const startMs = systemClock.nowMs();
  try {
    const adopted = store.adopt(await scanSpillFolder(path));
    const { spilledBytes } = store;
    const durationMs = Math.round(systemClock.nowMs() - startMs);
    logger.info(
      { event: 'worker.adopted', count: adopted.length, spilledBytes, durationMs },
      `took over ${adopted.length} values, ${aboutBytes(spilledBytes)} on disk, that this worker's former life had spilled`,
    );
    return adopted;
  } catch (err) {
    logger.warn({ err, path }, "what this worker's former life had spilled cannot be read");
    return [];
  }
}
