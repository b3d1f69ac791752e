/** Results and data that come into memory, and who hears of it. */
import type { Payload, SchedulerToClient } from '@spillway/messages';
import type { Core } from './core.js';
import { addReplica, holdersOf } from './replicas.js';
import { smallValues } from './small-set.js';
import type { SchedulerTask } from './task.js';
import { asDependency } from './transitions/effects.js';
import { move } from './transitions/index.js';
import type { WorkerView } from './worker-view.js';

/** Holders named to clients: one to fetch from, and two more in case. */
const HOLDERS_TOLD_MAX = 3;

/** Requires: the task is not in memory; at least one holder. A run elsewhere has been stopped by the caller. */
export function bringIntoMemory(
  core: Core,
  task: SchedulerTask,
  nbytes: number,
  holders: readonly WorkerView[],
  inline?: Payload,
): void {
  task.mayHaveRun = true;
  move(core, task, { name: 'memory', nbytes, whoHas: undefined });
  const { key } = task;
  core.journal.ended({ type: 'task-finished', key, nbytes, workers: holders.map(({ name }) => name) });
  for (const worker of holders) addReplica(task, worker);
  if (task.wantedBy !== undefined) core.outbox.toClientsOf(task, keyInMemory(task, nbytes, inline));
  if (task.waiterCount > 0) refreshRuns(core, task);
}

export function keyInMemory(task: SchedulerTask, nbytes: number, inline?: Payload): SchedulerToClient {
  return {
    type: 'key-in-memory',
    key: task.key,
    nbytes,
    holders: holdersOf(task, HOLDERS_TOLD_MAX),
    ...(inline === undefined ? {} : { inline }),
  };
}

/** Runs that were left with their worker when this input was lost (`recompute: false`) can go on. */
function refreshRuns(core: Core, task: SchedulerTask): void {
  for (const dependent of smallValues(task.dependents)) {
    if (dependent.state.name !== 'processing') continue;
    core.outbox.toWorker(dependent.state.worker, {
      type: 'refresh-who-has',
      stimulusId: core.stimulusId,
      dependencies: [asDependency(task)],
    });
  }
}
