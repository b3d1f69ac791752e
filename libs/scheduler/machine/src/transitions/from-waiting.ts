/** Moves out of `waiting`: all inputs are there and a place is found or not, or it is not to run after all. */
import { activeToErred, activeToMemory, activeToReleased } from './effects.js';
import type { Departures } from './table.js';

export const fromWaiting: Departures<'waiting'> = {
  queued: (core, task, _from, to) => core.enter(task, to),
  'no-worker': (core, task, _from, to) => core.enter(task, to),
  processing: (core, task, _from, to) => core.enter(task, to),
  memory: activeToMemory,
  released: activeToReleased,
  erred: activeToErred,
};
