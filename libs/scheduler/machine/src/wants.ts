/**
 * Which client wants which key: one relation, seen from the client (`wants`) and from the task (`wantedBy`). Nobody else
 * writes either side. A task that loses its last client is on the agenda: it may not be needed any more.
 */
import { keyInMemory } from './arrivals.js';
import type { ClientView } from './client-view.js';
import type { Core } from './core.js';
import { smallAdd, smallDelete } from './small-set.js';
import type { SchedulerTask } from './task.js';

/** The client hears at once what is known already. */
export function addWant(core: Core, client: ClientView, task: SchedulerTask, isBinding = false): void {
  if (!client.wants.has(task)) core.journal.wanted(client.id, task.key);
  addNotedWant(core, client, task, isBinding);
}

/** Requires: the journal has been told. */
export function addNotedWant(core: Core, client: ClientView, task: SchedulerTask, isBinding = false): void {
  client.wants.add(task);
  task.wantedBy = smallAdd(task.wantedBy, client);
  if (task.state.name === 'released') core.agenda.add(task);
  else tellOutcome(core, client, task, isBinding);
}

export function dropWant(core: Core, client: ClientView, task: SchedulerTask): void {
  if (!client.wants.delete(task)) return;
  // A client that is gone is written down as a whole.
  if (core.clients.get(client.id) === client) core.journal.unwanted(client.id, task.key);
  task.wantedBy = smallDelete(task.wantedBy, client);
  core.mayDrain = true;
  if (task.wantedBy === undefined) core.agenda.add(task);
}

/** Where the key stands, if it has ended. */
export function tellOutcome(core: Core, client: ClientView, task: SchedulerTask, isBinding = false): void {
  const { state } = task;
  if (state.name === 'memory') core.outbox.toClient(client.id, keyInMemory(task, state.nbytes), isBinding);
  else if (state.name === 'erred') {
    core.outbox.toClient(client.id, { type: 'key-erred', key: task.key, error: state.error });
  }
}
