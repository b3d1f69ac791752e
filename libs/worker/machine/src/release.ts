/** How a task leaves the state it is in without having got anywhere, and what becomes of it then. */
import type { Dependency, Priority } from '@spillway/messages';
import type { MachineContext } from './context.js';
import { RELEASED, REPLICA_PRIORITY, comparePriority, isNeeded, type WorkerTask } from './task.js';
import { startFetch } from './wanting.js';

/** Takes a task out of whatever it is in; see `settle` for what becomes of it. */
export function release(context: MachineContext, task: WorkerTask): void {
  if (task.state.name !== 'released') context.move(task, RELEASED);
  settle(context, task);
}

/** What becomes of a released task: fetched when others need it, kept while its attempt lingers, else forgotten. */
export function settle(context: MachineContext, task: WorkerTask): void {
  if (task.state.name !== 'released') return;
  if (isNeeded(task)) {
    let priority: Priority | undefined;
    for (const dependent of task.neededBy ?? []) {
      const { state } = dependent;
      if (state.name !== 'waiting' && state.name !== 'ready') continue;
      if (priority === undefined || comparePriority(state.run.message.priority, priority) < 0) {
        priority = state.run.message.priority;
      }
    }
    const dependency: Dependency = { key: task.key, nbytes: 0, whoHas: [] };
    startFetch(context, task, {
      dependency,
      priority: priority ?? REPLICA_PRIORITY,
      asReplica: false,
      isHolderListFresh: false,
    });
  } else if (task.lingering === undefined) {
    context.forget(task);
  }
}
