/**
 * What workers report of the runs they were given, and their heartbeats. Only the current run of a task counts: anything
 * said of an older one, or by a worker that is not registered, changes nothing.
 */
import type { RunId, TaskKey } from '@spillway/kernel';
import { bringIntoMemory } from './arrivals.js';
import type { Core } from './core.js';
import type { WorkerEvent } from './events.js';
import { takenUpRun } from './recovery.js';
import { setLimit } from './registration.js';
import { holdsReplica } from './replicas.js';
import { wakeIdle } from './settling.js';
import { waitingFor, type SchedulerTask } from './task.js';
import { move } from './transitions/index.js';
import type { WorkerView } from './worker-view.js';

type Report<Type extends WorkerEvent['type']> = Extract<WorkerEvent, { type: Type }>;

export function onTaskFinished(core: Core, worker: WorkerView, event: Report<'task-finished'>): void {
  const task = currentRun(core, worker, event.key, event.runId);
  if (task === undefined) {
    dropStaleResult(core, worker, event.key);
    return;
  }
  if (task.learned !== undefined)
    core.functions.learn(task.learned, Math.max(0, event.durationMs), event.nbytes);
  const { inline } = event;
  const isSmall = inline !== undefined && inline.data.byteLength <= core.options.inlineResultBytesMax;
  bringIntoMemory(core, task, event.nbytes, [worker], isSmall ? inline : undefined);
}

export function onTaskErred(core: Core, worker: WorkerView, event: Report<'task-erred'>): void {
  const task = currentRun(core, worker, event.key, event.runId);
  if (task === undefined) return;
  task.mayHaveRun = true;
  if (event.mayRetry && task.retriesLeft > 0) {
    task.retriesLeft -= 1;
    task.attempt += 1;
    core.journal.history(task);
    move(core, task, waitingFor(task));
    return;
  }
  const { id: workerId, name: workerName } = worker;
  const error = { ...event.error, details: { ...event.error.details, workerId, workerName } };
  move(core, task, { name: 'erred', error, dependentsError: undefined });
}

export function onTaskHandedBack(core: Core, worker: WorkerView, event: Report<'task-handed-back'>): void {
  const task = currentRun(core, worker, event.key, event.runId);
  if (task === undefined) return;
  // Whatever keeps it from running that task would keep it from the next.
  if (task.state.name === 'processing' && task.state.isDraining === true) worker.refusesDraining = true;
  if (task.spec?.recompute === false) core.journal.history(task);
  move(core, task, waitingFor(task));
}

export function onHeartbeat(core: Core, worker: WorkerView, event: Report<'heartbeat'>): void {
  const { metrics } = event;
  // Spilling goes on: the worker may come out of its pause by itself.
  if (metrics.memory.spillWrittenBytes > worker.readings.spillWrittenBytes) core.hasMoved = true;
  worker.readings = metrics.memory;
  worker.keepSample({ atMs: core.nowMs, processBytes: metrics.memory.processBytes });
  worker.heldBytesAtHeartbeat = worker.heldBytes;
  setPressure(core, worker, metrics.isUnderPressure);
  const { memoryLimitBytes = worker.memoryLimitBytes } = metrics;
  setLimit(core, worker, { memoryLimitBytes, isLimitEnforced: worker.isLimitEnforced });
  worker.lastRunIdAtHeartbeat = core.lastRunId;
  worker.executing = new Set(metrics.executing.map((run) => run.runId));
  core.retiring.mayHaveRoom = true;
  worker.executingTasks = metrics.executing;
  core.scatterPlanner.forgetPlansOf(worker);
  for (const { key, runId, forMs } of metrics.executing) {
    const run = assignedRun(worker, key, runId)?.state;
    // It takes longer than its like did: what is expected of this worker grows with it.
    if (run?.name !== 'processing' || forMs <= run.expectedMs) continue;
    worker.reprice(run, forMs);
    wakeIdle(core);
  }
}

function setPressure(core: Core, worker: WorkerView, isUnderPressure: boolean): void {
  if (worker.isUnderPressure === isUnderPressure) return;
  worker.isUnderPressure = isUnderPressure;
  core.roster.loads.update(worker);
  // It takes roots again, and work ahead of need.
  if (!isUnderPressure) core.agenda.roomy.add(worker);
}

/** The task, if this run of it is the one that counts. */
function currentRun(core: Core, worker: WorkerView, key: TaskKey, runId: RunId): SchedulerTask | undefined {
  return assignedRun(worker, key, runId) ?? takenUpRun(core, worker, key, runId);
}

/** The same, of those that were assigned in this life of the scheduler or have been taken up. */
function assignedRun(worker: WorkerView, key: TaskKey, runId: RunId): SchedulerTask | undefined {
  const task = worker.processing.get(runId);
  return task?.key === key ? task : undefined;
}

/** The worker holds a result that belongs nowhere. Unless it also runs the task anew: freeing would stop that. */
function dropStaleResult(core: Core, worker: WorkerView, key: TaskKey): void {
  const task = core.table.get(key);
  if (task !== undefined && (holdsReplica(task, worker) || worker.isRunning(task))) return;
  core.outbox.free(worker, key);
}
