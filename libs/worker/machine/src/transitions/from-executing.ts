import { stopAttempt } from '../stop-attempt.js';
import { enterMemory, enterReady, nothingFollows } from './entering.js';
import type { TransitionsFrom } from './index.js';

export const fromExecuting: TransitionsFrom<'executing'> = {
  /** It returned, and the result is in the store. */
  memory: (context, task) => enterMemory(context, task),
  /** It threw, or was stopped for its time or memory. */
  erred: nothingFollows,
  /** Its thread ended before its turn came: it starts again. */
  ready: (context, task, _from, to) => enterReady(context, task, to),
  /** The same, and an input has been freed meanwhile. */
  waiting: nothingFollows,
  /** Nobody waits for it any more. The thread is told; until it answers, no other attempt of the key starts. */
  released: (context, task, from) => {
    task.lingering = from.attempt;
    stopAttempt(context, from.attempt, { reason: 'cancelled' });
  },
};
