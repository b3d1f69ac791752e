/** Where keys are and what workers hold, asked of the scheduler when a caller wants to know. */
import { UnknownWorkerError } from '@spillway/kernel';
import type { Holding, KeyInfo, WorkerInfo } from '@spillway/messages';
import type { Timers } from '@spillway/ports';
import type { ClusterConnection } from './cluster-connection.js';
import { recordOf, type Future } from './future.js';
import { keyChunks } from './key-chunks.js';
import type { KeyTable } from './key-table.js';
import { pauseFor } from './transfers.js';

/** Keys of one question, so that no answer comes near the bound of a message. */
const KEYS_MAX = 5000;

/** How long until the workers are asked for again, while there are not enough. */
const LOOK_AGAIN_MS = 100;

/** The futures' keys, or all that this client wants. */
export async function describe(
  connection: ClusterConnection,
  table: KeyTable,
  futures: Iterable<Future<unknown>> | undefined,
  signal: AbortSignal,
): Promise<KeyInfo[]> {
  const keys = futures === undefined ? table.keys() : [...futures].map((future) => recordOf(future).key);
  const infos: KeyInfo[] = [];
  for (const chunk of keyChunks(keys, KEYS_MAX)) {
    infos.push(...(await connection.describeKeys(chunk, { signal })));
  }
  return infos;
}

/** By worker id. Rejects with `UnknownWorkerError` for a name or id that is not registered. */
export async function holdingsOf(
  connection: ClusterConnection,
  workers: Iterable<string> | undefined,
  signal: AbortSignal,
): Promise<Map<string, readonly Holding[]>> {
  const known = await connection.listWorkers({ signal });
  const chosen = workers === undefined ? known : [...workers].map((worker) => findWorker(known, worker));
  const holdings = new Map<string, readonly Holding[]>();
  for (const { workerId } of chosen) {
    // A worker that left between the two questions holds nothing.
    holdings.set(workerId, (await connection.hasWhat(workerId, { signal })) ?? []);
  }
  return holdings;
}

/** The running workers, once there are so many. */
export async function untilRunning(
  connection: ClusterConnection,
  count: number,
  timers: Timers,
  signal: AbortSignal,
): Promise<readonly WorkerInfo[]> {
  for (;;) {
    const workers = await connection.listWorkers({ signal });
    const running = workers.filter(({ status }) => status === 'running');
    if (running.length >= count) return running;
    await pauseFor(timers, LOOK_AGAIN_MS, signal);
  }
}

function findWorker(known: readonly WorkerInfo[], nameOrId: string): WorkerInfo {
  const found = known.find(({ workerId, name }) => workerId === nameOrId || name === nameOrId);
  if (found !== undefined) return found;
  throw new UnknownWorkerError(
    `No worker "${nameOrId}" is registered. There are: ${known.map(({ name }) => name).join(', ') || 'none'}.`,
    { details: { worker: nameOrId } },
  );
}
