/** What the loss of a result would cost: it, and what of its inputs is gone by now, would have to run again. */
import type { SchedulerTask } from './task.js';
import type { Core } from './core.js';

/** Tasks behind one result that are looked at: of a long chain the last part says enough. */
const LOOKED_AT_MAX = 32;

/** In milliseconds of running; endless for what cannot be made again. */
export function recomputeMs(core: Core, task: SchedulerTask): number {
  if (task.spec?.recompute !== true) return Infinity;
  const lost = new Set([task]);
  let ms = 0;
  // A Set may grow while it is looped over: up the graph, as far as results are gone.
  for (const each of lost) {
    ms += core.expectedMs(each);
    for (const input of each.dependencies) {
      if (lost.size === LOOKED_AT_MAX) break;
      if (input.state.name === 'released') lost.add(input);
    }
  }
  return ms;
}

/** Cheapest first, for each byte that it takes to copy; at a tie the one submitted last. */
export function byCostPerByte(core: Core, tasks: readonly SchedulerTask[]): SchedulerTask[] {
  const priced = tasks.map((task) => ({ task, cost: recomputeMs(core, task) / bytesOf(task) }));
  priced.sort((a, b) =>
    a.cost === b.cost
      ? b.task.submission - a.task.submission || b.task.order - a.task.order
      : a.cost < b.cost
        ? -1
        : 1,
  );
  return priced.map(({ task }) => task);
}

const bytesOf = ({ state }: SchedulerTask): number =>
  state.name === 'memory' ? Math.max(1, state.nbytes) : 1;
