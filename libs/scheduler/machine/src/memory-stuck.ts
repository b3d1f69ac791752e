/**
 * The end of the line under memory pressure: tasks are ready, every worker that may run them is paused, none of them would
 * free memory (`draining.ts`), and nothing has moved for `memoryStuckTimeoutMs`. Then they err with `CLUSTER_MEMORY_STUCK`, which
 * says who holds what, and what depends on them does with the same error. The alternative is to wait for ever in silence.
 *
 * What moves: a run or a result that ends, a worker that comes, goes or changes its status, bytes that are spilled. While
 * anything executes, its end may free memory, and the clock stands.
 */
import { blockedTasks, hasBlocked, isAnythingExecuting } from './blocked.js';
import type { Core } from './core.js';
import { stuckReport } from './stuck-report.js';
import { move } from './transitions/index.js';

/** Keeps the time since which nothing moves. Requires: the event is settled. */
export function noteMemoryStuck(core: Core): void {
  const isStuck = core.roster.paused.size > 0 && !isAnythingExecuting(core) && hasBlocked(core);
  if (!isStuck) core.stuckSinceMs = false;
  else if (core.stuckSinceMs === false || core.hasMoved) core.stuckSinceMs = core.nowMs;
}

/** When the time is over; `undefined` while nothing is stuck, or with the timeout off. */
export function stuckDeadlineMs({ stuckSinceMs, options }: Core): number | undefined {
  if (stuckSinceMs === false || options.memoryStuckTimeoutMs === false) return undefined;
  return stuckSinceMs + options.memoryStuckTimeoutMs;
}

export function giveUpStuckTasks(core: Core): void {
  const deadlineMs = stuckDeadlineMs(core);
  if (core.stuckSinceMs === false || deadlineMs === undefined || deadlineMs > core.nowMs) return;
  const tasks = blockedTasks(core);
  const forMs = Math.round(core.nowMs - core.stuckSinceMs);
  const { error, fields } = stuckReport(core, tasks.size, forMs);
  core.outbox.log(
    'cluster.memory-stuck',
    fields,
    [...tasks].map((task) => task.key),
  );
  for (const task of tasks) {
    core.stopRun(task);
    move(core, task, { name: 'erred', error, dependentsError: undefined });
  }
}
