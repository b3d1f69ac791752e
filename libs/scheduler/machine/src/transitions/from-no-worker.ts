/** Moves out of `no-worker`: one of its workers is there, an input is lost, time is up, or it is not to run after all. */
import { activeToErred, activeToMemory, activeToReleased, activeToWaiting } from './effects.js';
import type { Departures } from './table.js';

export const fromNoWorker: Departures<'no-worker'> = {
  waiting: activeToWaiting,
  memory: activeToMemory,
  released: activeToReleased,
  erred: activeToErred,
};
