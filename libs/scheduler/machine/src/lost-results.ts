/**
 * Results whose last copy is gone: they are made again as far as they are needed. Where it died with a worker whose
 * successor may have it on disk (architecture.md D8), not before the successor has said what it has, or has taken too long
 * to say anything.
 */
import type { TaskKey, WorkerId } from '@spillway/kernel';
import type { Core } from './core.js';
import { RELEASED, type SchedulerTask } from './task.js';
import { move } from './transitions/index.js';
import type { WorkerView } from './worker-view.js';

/** The worker that had the last copies. */
interface LastHolder {
  readonly workerId?: WorkerId;
  readonly name: string;
}

/** Requires: nobody has them. Those that cannot be made again err. */
export function releaseLost(core: Core, holder: LastHolder, tasks: readonly SchedulerTask[]): void {
  const recomputed: TaskKey[] = [];
  const unrecoverable: TaskKey[] = [];
  for (const task of tasks) {
    (task.spec?.recompute === true ? recomputed : unrecoverable).push(task.key);
    move(core, task, RELEASED);
  }
  if (recomputed.length > 0)
    core.outbox.log('task.recomputed', { ...holder, count: recomputed.length }, recomputed);
  if (unrecoverable.length > 0)
    core.outbox.log('data.lost', { ...holder, count: unrecoverable.length }, unrecoverable);
}

/** Requires: nobody has them. */
export function awaitSuccessor(core: Core, worker: WorkerView, tasks: readonly SchedulerTask[]): void {
  if (tasks.length === 0) return;
  const untilMs = core.nowMs + core.options.adoptionWaitMs;
  for (const task of tasks) move(core, task, { name: 'awaited', workerName: worker.name, untilMs });
  core.outbox.log(
    'task.awaited',
    { workerId: worker.id, name: worker.name, count: tasks.length, forMs: core.options.adoptionWaitMs },
    tasks.map((task) => task.key),
  );
}

/** A worker of this name has said what it has: the rest is not there. */
export function endWaitFor(core: Core, workerName: string): void {
  const missing: SchedulerTask[] = [];
  for (const task of core.table.awaited)
    if (task.state.name === 'awaited' && task.state.workerName === workerName) missing.push(task);
  releaseLost(core, { name: workerName }, missing);
}

/** When the first of them is given up; `Infinity` when none is awaited. */
export function nextGiveUpMs(core: Core): number {
  for (const { state } of core.table.awaited) if (state.name === 'awaited') return state.untilMs;
  return Infinity;
}

/** Gives up those whose successor has taken too long. */
export function giveUpAwaited(core: Core): void {
  const overdue = new Map<string, SchedulerTask[]>();
  for (const task of core.table.awaited) {
    if (task.state.name !== 'awaited' || task.state.untilMs > core.nowMs) break;
    const { workerName } = task.state;
    overdue.set(workerName, [...(overdue.get(workerName) ?? []), task]);
  }
  for (const [workerName, tasks] of overdue) releaseLost(core, { name: workerName }, tasks);
}
