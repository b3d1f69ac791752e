/** Moves out of `erred`: a client retries it, the lost data is scattered again, or nobody cares any more. */
import type { Departures } from './table.js';

export const fromErred: Departures<'erred'> = {
  released(core, task, _from, to) {
    core.enter(task, to);
    core.agenda.add(task);
  },
};
