/**
 * Inputs against memory limits. All inputs of a task are in RAM while it runs, so where they are larger together than the
 * worker's limit it could only be ended. A task that is too large for some of the workers is confined to those that it fits.
 * When it fits none that it may run on it is refused, before it does any harm; but while one that it fits is paused
 * it waits for that. A worker without a limit, or that is not ended for it, takes inputs of any size.
 */
import type { Core } from './core.js';
import { mayRunOn } from './restrictions.js';
import type { SchedulerTask } from './task.js';
import type { WorkerView } from './worker-view.js';

export const fits = (task: SchedulerTask, worker: WorkerView): boolean =>
  haveRoom(task, worker.inputBytesMax);

/**
 * Of the running workers that it may be given to (`allowedWorkers`) those that it fits, perhaps none; `undefined` when it
 * fits all workers there are, or none that it may be given to is running. If it fits none that it is to run on, but may run
 * on others, it is for those.
 */
export function fittingWorkers(
  core: Core,
  task: SchedulerTask,
  allowed: readonly WorkerView[] | undefined,
): readonly WorkerView[] | undefined {
  if (haveRoom(task, core.roster.leastInputBytesMax)) return undefined;
  const running = allowed ?? runningWorkers(core);
  if (running.length === 0) return undefined;
  const fitting = running.filter((worker) => fits(task, worker));
  if (fitting.length > 0 || task.spec?.allowOtherWorkers !== true) return fitting;
  return runningWorkers(core).filter((worker) => fits(task, worker));
}

/** Whether it fits a worker that it may run on and that is paused. */
export function fitsPaused({ roster }: Core, task: SchedulerTask): boolean {
  for (const worker of roster.paused) if (mayRunOn(task, worker) && fits(task, worker)) return true;
  return false;
}

const runningWorkers = ({ roster }: Core): WorkerView[] =>
  [...roster.all()].filter((worker) => worker.status === 'running');

function haveRoom({ dependencies }: SchedulerTask, bytesMax: number): boolean {
  if (bytesMax === Infinity) return true;
  let bytes = 0;
  for (const { state } of dependencies) {
    if (state.name === 'memory') bytes += state.nbytes;
    if (bytes > bytesMax) return false;
  }
  return true;
}
