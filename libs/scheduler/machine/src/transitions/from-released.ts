/** Moves out of `released`: it is needed, it turns out not to be makeable, it arrives from outside, or nobody knows it any more. */
import { smallDelete } from '../small-set.js';
import { failed, holdInputs, resultArrived } from './effects.js';
import type { Departures } from './table.js';

export const fromReleased: Departures<'released'> = {
  waiting(core, task, _from, to) {
    core.enter(task, to);
    holdInputs(core, task);
    core.agenda.add(task);
  },
  memory(core, task, _from, to) {
    core.enter(task, to);
    resultArrived(core, task);
  },
  erred(core, task, _from, to) {
    core.enter(task, to);
    failed(core, task, to);
  },
  forgotten(core, task, _from, to) {
    core.enter(task, to);
    core.journal.forgotten(task.key);
    if (task.learned !== undefined) core.functions.release(task.learned);
    for (const dependency of task.dependencies) {
      dependency.dependents = smallDelete(dependency.dependents, task);
      if (dependency.dependents === undefined) core.agenda.add(dependency);
    }
    task.dependencies = [];
  },
};
