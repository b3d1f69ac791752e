/** Why a task is not run: its inputs are too large for every worker that it might be given to (`fitting.ts`). */
import { aboutBytes } from '@spillway/kernel';
import { remoteError, type RemoteError } from '@spillway/messages';
import { countOf } from './amounts.js';
import type { Core } from './core.js';
import { mayRunOn } from './restrictions.js';
import type { SchedulerTask } from './task.js';
import type { WorkerView } from './worker-view.js';

const INPUTS_NAMED_MAX = 3;

/** Requires: it fits none of the running workers that it may run on, and there are some. */
export function refusal(core: Core, task: SchedulerTask): RemoteError {
  const inputs = inputsBySize(task);
  const inputBytes = inputs.reduce((total, input) => total + input.nbytes, 0);
  const largestInputs = inputs.slice(0, INPUTS_NAMED_MAX);
  const largest = largestWorker(core, task);
  const message =
    `Task ${task.key} was not run: its ${countOf(inputs.length, 'input')} of ${aboutBytes(inputBytes)} ` +
    `(${inputBytes} bytes) in all would have to be in memory at once, and the largest limit of a worker that it may run on is ` +
    `${aboutBytes(largest.inputBytesMax)} (${largest.inputBytesMax} bytes), of ${largest.name}. ` +
    `The largest inputs: ${largestInputs.map((input) => `${input.key} ${aboutBytes(input.nbytes)}`).join(', ')}. ` +
    `Give workers more memory (fewer, larger ones), or combine the inputs in steps, a few at a time, as a tree.` +
    (task.dependents === undefined
      ? ' No other task depends on it: if it only brings a whole data set together, gather what it is made of instead.'
      : '');
  return remoteError('TASK_OUT_OF_MEMORY', message, {
    key: task.key,
    inputs: String(inputs.length),
    inputBytes: String(inputBytes),
    largestInputs: JSON.stringify(largestInputs),
    limitBytes: String(largest.inputBytesMax),
    workerId: largest.id,
    workerName: largest.name,
  });
}

interface Input {
  readonly key: string;
  readonly nbytes: number;
}

/** Largest first. */
const inputsBySize = (task: SchedulerTask): readonly Input[] =>
  task.dependencies
    .map(({ key, state }) => ({ key, nbytes: state.name === 'memory' ? state.nbytes : 0 }))
    .sort((a, b) => b.nbytes - a.nbytes);

/** Of those with the same limit the one registered first. */
const largestWorker = ({ roster }: Core, task: SchedulerTask): WorkerView =>
  [...roster.all()]
    .filter((worker) => worker.status === 'running' && mayRunOn(task, worker))
    .reduce((largest, worker) => (worker.inputBytesMax > largest.inputBytesMax ? worker : largest));
