import { detachInputs } from '../inputs.js';
import { enterReady } from './entering.js';
import type { TransitionsFrom } from './index.js';

export const fromWaiting: TransitionsFrom<'waiting'> = {
  /** The last missing input has come. */
  ready: (context, task, _from, to) => enterReady(context, task, to),
  /** Freed, cancelled, superseded or handed back. */
  released: (context, _task, from) => detachInputs(context, from.run),
};
