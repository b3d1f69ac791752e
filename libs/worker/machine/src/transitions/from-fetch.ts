import { enterMemory, leaveFetch } from './entering.js';
import type { TransitionsFrom } from './index.js';

export const fromFetch: TransitionsFrom<'fetch'> = {
  /** A peer is asked. */
  flight: (context, task, from) => leaveFetch(context, task, from),
  /** A client or peer put the value here. */
  memory: (context, task, from) => {
    leaveFetch(context, task, from);
    enterMemory(context, task);
  },
  /** Nobody wants it any more, or it is to be computed here. */
  released: (context, task, from) => leaveFetch(context, task, from),
};
