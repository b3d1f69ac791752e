/** Moves out of `queued`: a worker has room, an input is lost or a better home is looked for, or it is not to run after all. */
import { activeToErred, activeToMemory, activeToReleased, activeToWaiting } from './effects.js';
import type { Departures } from './table.js';

export const fromQueued: Departures<'queued'> = {
  processing: (core, task, _from, to) => core.enter(task, to),
  waiting: activeToWaiting,
  memory: activeToMemory,
  released: activeToReleased,
  erred: activeToErred,
};
