/** Moves out of `memory`: nobody needs the result, so it is freed everywhere; or its last copy is gone. */
import { removeReplica } from '../replicas.js';
import { smallValues } from '../small-set.js';
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
    if (isLost) {
      core.outbox.toClientsOf(task, { type: 'key-lost', key: task.key });
      resultVanished(core, task);
    }
    core.agenda.add(task);
  },
};
