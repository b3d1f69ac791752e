/** Moves out of `memory`: nobody needs the result, so it is freed everywhere; or its last copy is gone, for good or not. */
import type { Core } from '../core.js';
import { removeReplica } from '../replicas.js';
import { smallValues } from '../small-set.js';
import type { SchedulerTask } from '../task.js';
import { resultVanished } from './effects.js';
import type { Departures } from './table.js';

export const fromMemory: Departures<'memory'> = {
  released(core, task, from, to) {
    const isLost = from.whoHas === undefined;
    for (const worker of [...smallValues(from.whoHas)]) {
      removeReplica(task, worker);
      core.outbox.free(worker, task.key);
    }
    core.enter(task, to);
    if (isLost) lost(core, task);
    core.agenda.add(task);
  },
  awaited(core, task, _from, to) {
    core.enter(task, to);
    lost(core, task);
    core.agenda.add(task);
  },
};

function lost(core: Core, task: SchedulerTask): void {
  core.outbox.toClientsOf(task, { type: 'key-lost', key: task.key });
  resultVanished(core, task);
}
