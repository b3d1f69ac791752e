import { enterFetch, enterMemory, enterReady, nothingFollows } from './entering.js';
import type { TransitionsFrom } from './index.js';

/** A key that was not here, or whose attempt or flight is being given up. */
export const fromReleased: TransitionsFrom<'released'> = {
  /** Assigned, and inputs are missing: they are wanted already. */
  waiting: nothingFollows,
  /** Assigned, and all inputs are here. */
  ready: (context, task, _from, to) => enterReady(context, task, to),
  /** Needed by a task, or wanted as a replica. */
  fetch: (context, task, _from, to) => enterFetch(context, task, to),
  /** A client or peer put the value here. */
  memory: (context, task) => enterMemory(context, task),
};
