/**
 * What several moves have in common. A move sets the state and tells those it concerns; what follows for other tasks is
 * put on the agenda and decided in `settling.ts`, so that no chain of tasks is as deep as the call stack.
 */
import type { Core } from '../core.js';
import {
  isActive,
  type ErredState,
  type MemoryState,
  type ReleasedState,
  type SchedulerTask,
} from '../task.js';
import { isShared } from '../failures.js';
import { smallValues } from '../small-set.js';
import type { Dependency } from '@spillway/messages';
import { holdersOf } from '../replicas.js';

/** Holders of one input that a message names. */
export const HOLDERS_NAMED_MAX = 8;

/** The task needs its dependencies from now on. */
export function holdInputs(core: Core, task: SchedulerTask): void {
  for (const dependency of task.dependencies) {
    dependency.waiterCount += 1;
    if (dependency.state.name === 'released') core.agenda.add(dependency);
  }
}

/** The task needs them no longer. */
export function letInputsGo(core: Core, task: SchedulerTask): void {
  for (const dependency of task.dependencies) {
    dependency.waiterCount -= 1;
    if (dependency.waiterCount === 0) core.agenda.add(dependency);
  }
}

/** An active task's result is there. */
export function activeToMemory(core: Core, task: SchedulerTask, _from: object, to: MemoryState): void {
  core.enter(task, to);
  letInputsGo(core, task);
  resultArrived(core, task);
}

export function activeToReleased(core: Core, task: SchedulerTask, _from: object, to: ReleasedState): void {
  core.enter(task, to);
  letInputsGo(core, task);
  core.agenda.add(task);
}

export function activeToErred(core: Core, task: SchedulerTask, _from: object, to: ErredState): void {
  core.enter(task, to);
  letInputsGo(core, task);
  failed(core, task, to);
}

/** Back to waiting, with what is missing now; it goes on holding its inputs. */
export function activeToWaiting(
  core: Core,
  task: SchedulerTask,
  _from: object,
  to: { name: 'waiting'; missingCount: number },
): void {
  core.enter(task, to);
  core.agenda.add(task);
}

/** Dependents miss one input less; the task itself may turn out not to be needed. */
export function resultArrived(core: Core, task: SchedulerTask): void {
  core.agenda.add(task);
  if (task.waiterCount === 0) return;
  for (const dependent of smallValues(task.dependents)) {
    const { state } = dependent;
    if (state.name === 'waiting') {
      state.missingCount -= 1;
      if (state.missingCount === 0) core.agenda.add(dependent);
    }
  }
}

/** The last copy is gone: dependents that have not ended must wait for it again. */
export function resultVanished(core: Core, task: SchedulerTask): void {
  for (const dependent of smallValues(task.dependents)) {
    if (dependent.state.name === 'waiting') dependent.state.missingCount += 1;
    else if (isActive(dependent)) core.agenda.add(dependent);
  }
}

/** Clients hear of it, and active dependents fail in their turn. */
export function failed(core: Core, task: SchedulerTask, state: ErredState): void {
  const { error } = state;
  core.outbox.toClientsOf(task, { type: 'key-erred', key: task.key, error });
  if (!isShared(error)) {
    core.outbox.log('task.erred', { key: task.key, code: error.code, message: error.message });
  }
  core.agenda.add(task);
  if (task.waiterCount === 0) return;
  for (const dependent of smallValues(task.dependents)) {
    if (isActive(dependent)) core.agenda.add(dependent);
  }
}

/** A key as messages to workers name it: with where it can be fetched. */
export function asDependency(task: SchedulerTask): Dependency {
  return {
    key: task.key,
    nbytes: task.state.name === 'memory' ? task.state.nbytes : 0,
    whoHas: holdersOf(task, HOLDERS_NAMED_MAX),
  };
}
