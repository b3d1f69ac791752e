import { enterFetch, enterMemory, nothingFollows } from './entering.js';
import type { TransitionsFrom } from './index.js';

export const fromFlight: TransitionsFrom<'flight'> = {
  /** It arrived, or a client or peer put it here. */
  memory: (context, task) => enterMemory(context, task),
  /** The peer was busy, did not have it, or broke off. */
  fetch: (context, task, _from, to) => enterFetch(context, task, to),
  /** Nobody wants it any more. What arrives for it all the same is freed. */
  released: nothingFollows,
};
