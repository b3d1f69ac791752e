/** Answers to questions about the present. Nothing here changes anything. */
import type { TaskKey } from '@spillway/kernel';
import type { Holding, KeyInfo } from '@spillway/messages';
import type { Core } from './core.js';
import { holdersOf } from './replicas.js';
import type { WorkerView } from './worker-view.js';

export function describeKey(core: Core, key: TaskKey): KeyInfo {
  const task = core.table.get(key);
  if (task === undefined) return { key, state: 'forgotten', nbytes: undefined, whoHas: [] };
  const { state } = task;
  return {
    key,
    state: state.name,
    nbytes: state.name === 'memory' ? state.nbytes : undefined,
    whoHas: holdersOf(task, Infinity),
  };
}

export function listHoldings(worker: WorkerView): Holding[] {
  const holdings: Holding[] = [];
  for (const task of worker.hasWhat) {
    if (task.state.name === 'memory') holdings.push({ key: task.key, nbytes: task.state.nbytes });
  }
  return holdings;
}
