/** Moves out of `awaited`: the successor brought it, or another worker did; or it is given up, or nobody needs it any more. */
import { resultArrived } from './effects.js';
import type { Departures } from './table.js';

export const fromAwaited: Departures<'awaited'> = {
  /** Its worker goes on with a run of the scheduler's life before (`recovery.ts`). */
  processing: (core, task, _from, to) => core.enter(task, to),
  memory(core, task, _from, to) {
    core.enter(task, to);
    resultArrived(core, task);
  },
  released(core, task, _from, to) {
    core.enter(task, to);
    core.agenda.add(task);
  },
};
