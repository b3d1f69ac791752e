/** Where keys are and what workers hold, asked of the scheduler when a caller wants to know. */
import { UnknownWorkerError } from '@spillway/kernel';
import type { Holding, KeyInfo, WorkerInfo } from '@spillway/messages';
import type { ClusterConnection } from './cluster-connection.js';
import { recordOf, type Future } from './future.js';
import type { KeyTable } from './key-table.js';

/** Keys of one question, so that no answer comes near the bound of a message. */
const KEYS_MAX = 5000;

/** The futures' keys, or all that this client wants. */
export async function describe(
  connection: ClusterConnection,
  table: KeyTable,
  futures: Iterable<Future<unknown>> | undefined,
  signal: AbortSignal,
): Promise<KeyInfo[]> {
  const keys = futures === undefined ? table.keys() : [...futures].map((future) => recordOf(future).key);
  const infos: KeyInfo[] = [];
  for (let start = 0; start < keys.length; start += KEYS_MAX) {
    infos.push(...(await connection.describeKeys(keys.slice(start, start + KEYS_MAX), { signal })));
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

function findWorker(known: readonly WorkerInfo[], nameOrId: string): WorkerInfo {
  const found = known.find(({ workerId, name }) => workerId === nameOrId || name === nameOrId);
  if (found !== undefined) return found;
  throw new UnknownWorkerError(
    `No worker "${nameOrId}" is registered. There are: ${known.map(({ name }) => name).join(', ') || 'none'}.`,
    { details: { worker: nameOrId } },
  );
}
