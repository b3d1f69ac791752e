/**
 * Who holds what: one relation, seen from the task (`whoHas`, in its state `memory`) and from the worker (`hasWhat`).
 * Nobody else writes either side. What follows from a lost copy is in `losses.ts`.
 */
import { InvariantError } from '@spillway/kernel';
import type { Holder } from '@spillway/messages';
import { smallAdd, smallDelete, smallHas, smallSize, smallValues } from './small-set.js';
import type { MemoryState, SchedulerTask } from './task.js';
import type { WorkerView } from './worker-view.js';

/** Requires: the task is in memory. */
export function addReplica(task: SchedulerTask, worker: WorkerView): void {
  const state = memoryOf(task);
  if (smallHas(state.whoHas, worker)) return;
  state.whoHas = smallAdd(state.whoHas, worker);
  worker.hasWhat.add(task);
  worker.heldBytes += state.nbytes;
}

/** Requires: the task is in memory. After the last one, the caller moves the task on. */
export function removeReplica(task: SchedulerTask, worker: WorkerView): void {
  const state = memoryOf(task);
  if (!smallHas(state.whoHas, worker)) return;
  state.whoHas = smallDelete(state.whoHas, worker);
  worker.hasWhat.delete(task);
  worker.heldBytes -= state.nbytes;
}

export function holdsReplica(task: SchedulerTask, worker: WorkerView): boolean {
  return task.state.name === 'memory' && smallHas(task.state.whoHas, worker);
}

export function replicaCount(task: SchedulerTask): number {
  return task.state.name === 'memory' ? smallSize(task.state.whoHas) : 0;
}

/** Up to `countMax` holders, as messages name them; none unless the task is in memory. */
export function holdersOf(task: SchedulerTask, countMax: number): Holder[] {
  const holders: Holder[] = [];
  if (task.state.name !== 'memory') return holders;
  for (const worker of smallValues(task.state.whoHas)) {
    if (holders.length === countMax) break;
    holders.push(worker.holder);
  }
  return holders;
}

function memoryOf(task: SchedulerTask): MemoryState {
  if (task.state.name === 'memory') return task.state;
  throw new InvariantError(`Only results in memory have replicas, and ${task.key} is ${task.state.name}`);
}
