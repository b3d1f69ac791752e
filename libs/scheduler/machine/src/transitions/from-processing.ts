/**
 * Moves out of `processing`: it finished, it failed, it was given back or its worker died, or it is not to run after all.
 * Whoever takes a task away from a live worker says so first (`Core.stopRun`).
 */
import { activeToErred, activeToMemory, activeToReleased, activeToWaiting } from './effects.js';
import type { Departures } from './table.js';

export const fromProcessing: Departures<'processing'> = {
  memory: activeToMemory,
  waiting: activeToWaiting,
  released: activeToReleased,
  erred: activeToErred,
};
