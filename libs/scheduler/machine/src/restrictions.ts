import type { Core } from './core.js';
import type { SchedulerTask } from './task.js';
import type { WorkerView } from './worker-view.js';

/**
 * The running workers a restricted task may be given to (perhaps none); `undefined` when any will do, also because it
 * allows others and none of its own is running.
 */
export function allowedWorkers(core: Core, task: SchedulerTask): readonly WorkerView[] | undefined {
  const { spec } = task;
  if (spec === undefined || spec.workers.length === 0) return undefined;
  const running = new Set<WorkerView>();
  for (const nameOrId of spec.workers) {
    const worker = core.roster.find(nameOrId);
    if (worker?.status === 'running') running.add(worker);
  }
  return running.size === 0 && spec.allowOtherWorkers ? undefined : [...running];
}

/** Whether the task may be given to this worker at all, running or not. */
export function mayRunOn(task: SchedulerTask, worker: WorkerView): boolean {
  const { spec } = task;
  if (spec === undefined) return false;
  if (spec.workers.length === 0 || spec.allowOtherWorkers) return true;
  return spec.workers.some((nameOrId) => nameOrId === worker.name || nameOrId === worker.id);
}

/** Whether a worker it may run on is registered, running or not. */
export function hasRegisteredWorker(core: Core, task: SchedulerTask): boolean {
  const { spec } = task;
  if (spec === undefined || spec.workers.length === 0 || spec.allowOtherWorkers) return core.roster.size > 0;
  return spec.workers.some((nameOrId) => core.roster.find(nameOrId) !== undefined);
}
