/** What follows from being in a state, however a task came into it; and from having left it. Used by several moves. */
import type { MachineContext } from '../context.js';
import type { FetchState, ReadyState, WorkerTask } from '../task.js';

/** An older attempt that still runs holds the start back; its outcome will queue the task. */
export function enterReady(context: MachineContext, task: WorkerTask, state: ReadyState): void {
  if (task.lingering === undefined) context.ready.push(state.run, context.tasks.in('ready'));
}

export function enterFetch(context: MachineContext, task: WorkerTask, state: FetchState): void {
  for (const id of state.holders) context.peers.want(task, state, id);
  if (state.holders.size === 0) context.whoHas.add(task);
}

export function leaveFetch(context: MachineContext, task: WorkerTask, state: FetchState): void {
  context.peers.unwant(task, state);
  context.whoHas.remove(task);
}

/** The value is here: tasks that waited for nothing else are ready. */
export function enterMemory(context: MachineContext, task: WorkerTask): void {
  if (task.neededBy === undefined) return;
  for (const dependent of task.neededBy) {
    const { state } = dependent;
    if (state.name !== 'waiting') continue;
    state.missingCount -= 1;
    if (state.missingCount === 0) context.move(dependent, { name: 'ready', run: state.run });
  }
}

/** For moves after which nothing else has to be done. */
export const nothingFollows = (): void => undefined;
