/**
 * Tasks that cannot go on because of memory: they are ready, and every worker that may run them is paused for it; or they
 * have been handed to a worker that paused before it began them, and keeps them. What is done for them is in `draining.ts`,
 * and what when nothing can be done in `memory-stuck.ts`.
 */
import type { RunId } from '@spillway/kernel';
import type { Core } from './core.js';
import type { SchedulerTask } from './task.js';
import type { WorkerView } from './worker-view.js';

/** No worker is running, and the reason is memory: at least one is paused. Those that retire do not count. */
export function areAllPaused(core: Core): boolean {
  return core.roster.paused.size > 0 && core.roster.loads.size === 0;
}

/** Whether the ready task is blocked, provided that some paused worker may run it. */
export function isBlocked(core: Core, task: SchedulerTask): boolean {
  return task.state.name === 'no-worker' || (task.state.name === 'queued' && core.roster.loads.size === 0);
}

export function hasBlocked(core: Core): boolean {
  if (areAllPaused(core) && core.table.counts.queued > 0) return true;
  for (const _ of restrictedToPaused(core)) return true;
  for (const _ of keptByPaused(core)) return true;
  return false;
}

/** Each once. */
export function blockedTasks(core: Core): Set<SchedulerTask> {
  return new Set([
    ...(areAllPaused(core) ? core.queues.unrestricted() : []),
    ...restrictedToPaused(core),
    ...keptByPaused(core),
  ]);
}

/** Whether a run may be going on anywhere. Of what was handed to a running worker that is taken for granted. */
export function isAnythingExecuting(core: Core): boolean {
  if (core.table.counts.processing === 0) return false;
  for (const worker of core.roster.all()) {
    if (worker.status === 'paused' ? executingCount(worker) > 0 : worker.processing.size > 0) return true;
  }
  return false;
}

/** How many runs the worker has begun, as far as is known. */
export function executingCount(worker: WorkerView): number {
  let count = 0;
  for (const runId of worker.processing.keys()) if (mayHaveBegun(worker, runId)) count += 1;
  return count;
}

/** It says so, or has said nothing since it was given the run. */
const mayHaveBegun = (worker: WorkerView, runId: RunId): boolean =>
  worker.executing.has(runId) || runId > worker.lastRunIdAtHeartbeat;

/** Tasks that may run on certain workers only, or fit only some, of which some are paused and none is running. */
function* restrictedToPaused(core: Core): Iterable<SchedulerTask> {
  if (core.table.counts['no-worker'] === 0) return;
  for (const task of core.table.confined) if (task.state.name === 'no-worker') yield task;
  for (const worker of core.roster.paused) {
    for (const nameOrId of [worker.name, worker.id]) {
      for (const task of core.table.unplacedNaming(nameOrId)) if (task.state.name === 'no-worker') yield task;
    }
  }
}

function* keptByPaused(core: Core): Iterable<SchedulerTask> {
  if (core.table.counts.processing === 0) return;
  for (const worker of core.roster.paused) {
    for (const [runId, task] of worker.processing) if (!mayHaveBegun(worker, runId)) yield task;
  }
}
