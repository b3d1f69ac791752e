import { detachInputs } from '../inputs.js';
import { nothingFollows } from './entering.js';
import type { TransitionsFrom } from './index.js';

export const fromReady: TransitionsFrom<'ready'> = {
  /** Handed to a slot's thread, together with its inputs: from here on it does not need them in the store. */
  executing: (context, task, from, to) => {
    const { message } = from.run;
    detachInputs(context, from.run);
    context.instructions.push({
      type: 'execute',
      stimulusId: context.stimulusId,
      slot: to.attempt.slot,
      key: task.key,
      runId: message.runId,
      attempt: message.attempt,
      spec: message.spec,
    });
  },
  /** An input was freed before the task could start: it is fetched again. */
  waiting: nothingFollows,
  /** Freed, cancelled, superseded or handed back. */
  released: (context, _task, from) => detachInputs(context, from.run),
};
