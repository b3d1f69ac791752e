/** What clients ask to be undone or done again: cancel and retry. */
import type { TaskKey } from '@spillway/kernel';
import type { ClientView } from './client-view.js';
import type { Core } from './core.js';
import { isShared } from './failures.js';
import { smallSize, smallValues } from './small-set.js';
import { isActive, RELEASED, type SchedulerTask } from './task.js';
import { move } from './transitions/index.js';
import { dropWant } from './wants.js';

/**
 * Drops the client's interest in the keys (`force`: everybody's), and in tasks that depend on them and that nobody else
 * wants. What nobody needs then is taken off the workers as always.
 */
export function cancelKeys(core: Core, client: ClientView, keys: readonly TaskKey[], force: boolean): void {
  for (const task of withDependentsToCancel(core, client, keys, force)) {
    const clients = force ? [...smallValues(task.wantedBy)] : [client];
    for (const wanting of clients) {
      if (!wanting.wants.has(task)) continue;
      dropWant(core, wanting, task);
      const reason = wanting === client ? 'cancelled' : `cancelled by client ${client.id}`;
      core.outbox.toClient(wanting.id, { type: 'key-cancelled', key: task.key, reason });
    }
  }
}

/** Runs erred tasks, those they failed through, and those that failed through the same, again. */
export function retryKeys(core: Core, keys: readonly TaskKey[]): void {
  const retried = new Set<SchedulerTask>();
  for (const key of keys) {
    const task = core.table.get(key);
    if (task?.state.name === 'erred') retried.add(task);
  }
  // A Set may grow while it is looped over: first up to the roots, then down to everything that failed through them.
  for (const task of retried) addErred(retried, task.dependencies);
  for (const task of retried) addErred(retried, smallValues(task.dependents));
  for (const task of retried) {
    task.retriesLeft = task.spec?.retries ?? 0;
    task.deaths = undefined;
    task.mayHaveRun = false;
    // With a shared error it has not run.
    if (task.state.name === 'erred' && !isShared(task.state.error)) task.attempt += 1;
    core.journal.history(task);
    core.outbox.toClientsOf(task, { type: 'key-retried', key: task.key });
    move(core, task, RELEASED);
  }
}

/** Answer to a client that asks for a key nobody knows. */
export function unknownKey(core: Core, client: ClientView, key: TaskKey): void {
  core.outbox.toClient(client.id, {
    type: 'key-cancelled',
    key,
    reason: 'the scheduler does not know this key',
  });
}

function withDependentsToCancel(
  core: Core,
  client: ClientView,
  keys: readonly TaskKey[],
  force: boolean,
): Set<SchedulerTask> {
  const cancelled = new Set<SchedulerTask>();
  for (const key of keys) {
    const task = core.table.get(key);
    if (task === undefined) continue;
    if (force || client.wants.has(task)) cancelled.add(task);
  }
  for (const task of cancelled) {
    // What others want goes on, and so does what it depends on: its dependents are not touched.
    if (!force && isWantedByOthers(task, client)) continue;
    for (const dependent of smallValues(task.dependents)) {
      if (isActive(dependent) && (force || !isWantedByOthers(dependent, client))) cancelled.add(dependent);
    }
  }
  return cancelled;
}

const isWantedByOthers = (task: SchedulerTask, client: ClientView): boolean =>
  smallSize(task.wantedBy) > (client.wants.has(task) ? 1 : 0);

function addErred(to: Set<SchedulerTask>, tasks: Iterable<SchedulerTask>): void {
  for (const task of tasks) if (task.state.name === 'erred') to.add(task);
}
