/** Who holds what, when memory lets nothing go on: for the error that users see, and for the log. */
import { aboutBytes } from '@spillway/kernel';
import { remoteError, type RemoteError } from '@spillway/messages';
import { countOf } from './amounts.js';
import type { Core } from './core.js';
import type { WorkerView } from './worker-view.js';

/** Named one by one, in the error that every stuck key carries. The rest is in its sums. */
const WORKERS_NAMED_MAX = 8;
const KEYS_NAMED_MAX = 5;

export interface StuckReport {
  readonly error: RemoteError;
  readonly fields: Readonly<Record<string, string | number>>;
}

export function stuckReport(core: Core, taskCount: number, forMs: number): StuckReport {
  const workers = [...core.roster.all()].sort((a, b) => b.readings.processBytes - a.readings.processBytes);
  const named = workers.slice(0, WORKERS_NAMED_MAX);
  const keys = largestKeys(core.roster.paused);
  const others = workers.length - named.length;
  const message =
    `The workers that may run what is ready (${countOf(taskCount, 'task')}) are all paused because their memory is full; ` +
    `no task would free some, and nothing has moved for ${forMs} ms. Who holds what: ` +
    `${named.map(sayWorker).join('; ')}${others > 0 ? `; and ${others} more` : ''}. ` +
    (keys.length === 0 ? '' : `The largest keys: ${keys.map(sayKey).join(', ')}. `) +
    `Release results that are no longer needed, give the workers more memory or room to spill, or add workers; then retry.`;
  const fields = {
    tasks: taskCount,
    forMs,
    workers: workers.length,
    pausedWorkers: core.roster.paused.size,
    processBytes: sum(workers, (worker) => worker.readings.processBytes),
    managedBytes: sum(workers, (worker) => worker.readings.managedBytes),
    spilledBytes: sum(workers, (worker) => worker.readings.spilledBytes),
    hoardedBytes: sum(workers, (worker) => worker.readings.hoardedBytes),
    keys: sum(workers, (worker) => worker.hasWhat.size),
  };
  const details = {
    ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)])),
    perWorker: JSON.stringify(named.map(numbersOf)),
    largestKeys: JSON.stringify(keys),
  };
  return { error: remoteError('CLUSTER_MEMORY_STUCK', message, details), fields };
}

function sayWorker(worker: WorkerView): string {
  const { readings, memoryLimitBytes } = worker;
  const limit = memoryLimitBytes === false ? 'no limit' : aboutBytes(memoryLimitBytes);
  const refusal =
    readings.spillRefusedBecause === undefined
      ? ''
      : `, its disk takes nothing (${readings.spillRefusedBecause})`;
  return (
    `${worker.name} (${worker.status}) process ${aboutBytes(readings.processBytes)} of ${limit}, ` +
    `managed ${aboutBytes(readings.managedBytes)}, spilled ${aboutBytes(readings.spilledBytes)}, ` +
    `${countOf(worker.hasWhat.size, 'key')}${refusal}`
  );
}

function numbersOf(worker: WorkerView): Readonly<Record<string, unknown>> {
  const { name, id: workerId, status, memoryLimitBytes, readings, heldBytes, hasWhat } = worker;
  return { name, workerId, status, memoryLimitBytes, ...readings, keys: hasWhat.size, heldBytes };
}

interface HeldKey {
  readonly key: string;
  readonly nbytes: number;
  readonly worker: string;
}

const sayKey = ({ key, nbytes, worker }: HeldKey): string => `${key} ${aboutBytes(nbytes)} on ${worker}`;

/** Largest first; a key that several workers hold is named once. */
function largestKeys(workers: Iterable<WorkerView>): readonly HeldKey[] {
  let largest: HeldKey[] = [];
  for (const worker of workers) {
    for (const { key, state } of worker.hasWhat) {
      if (state.name !== 'memory' || state.nbytes <= (largest[KEYS_NAMED_MAX - 1]?.nbytes ?? -1)) continue;
      if (largest.some((held) => held.key === key)) continue;
      largest.push({ key, nbytes: state.nbytes, worker: worker.name });
      largest = largest.sort((a, b) => b.nbytes - a.nbytes).slice(0, KEYS_NAMED_MAX);
    }
  }
  return largest;
}

const sum = (workers: readonly WorkerView[], of: (worker: WorkerView) => number): number =>
  workers.reduce((total, worker) => total + of(worker), 0);
