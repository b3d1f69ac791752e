/**
 * What happens because time passes: leases that end, tasks that have waited too long for a worker to exist, results
 * that no successor brought, and clusters whose memory lets nothing go on.
 */
import { giveUpAwaited, nextGiveUpMs } from './lost-results.js';
import { forgetClient } from './clients.js';
import type { Core } from './core.js';
import { noValidWorker } from './failures.js';
import { giveUpStuckTasks, stuckDeadlineMs } from './memory-stuck.js';
import { hasRegisteredWorker } from './restrictions.js';
import type { SchedulerTask } from './task.js';
import { move } from './transitions/index.js';

/** When the machine next wants a tick; `undefined` when nothing will happen by itself. */
export function nextWakeMs(core: Core): number | undefined {
  if (!core.jobs.isEmpty) return core.nowMs;
  let wakeMs = Math.min(
    stuckDeadlineMs(core) ?? Infinity,
    nextGiveUpMs(core),
    core.recovery?.untilMs ?? Infinity,
    core.strays?.untilMs ?? Infinity,
  );
  for (const { deadlineAtMs } of core.retiring.all()) wakeMs = Math.min(wakeMs, deadlineAtMs);
  for (const client of core.leased) {
    // All leases are equally long, so the first to start is the first to end.
    if (client.leaseEndsAtMs !== false) wakeMs = Math.min(wakeMs, client.leaseEndsAtMs);
    break;
  }
  const { noWorkersTimeoutMs } = core.options;
  if (noWorkersTimeoutMs !== false) {
    for (const task of core.table.noWorker) {
      if (task.state.name === 'no-worker') wakeMs = Math.min(wakeMs, task.state.sinceMs + noWorkersTimeoutMs);
      break;
    }
    if (core.starvedSinceMs !== false) wakeMs = Math.min(wakeMs, core.starvedSinceMs + noWorkersTimeoutMs);
  }
  return wakeMs === Infinity ? undefined : wakeMs;
}

export function onDeadlines(core: Core): void {
  for (const client of core.leased) {
    if (client.leaseEndsAtMs === false || client.leaseEndsAtMs > core.nowMs) break;
    forgetClient(core, client);
  }
  if (core.recovery === undefined) giveUpAwaited(core);
  giveUpStuckTasks(core);
  const { noWorkersTimeoutMs } = core.options;
  if (noWorkersTimeoutMs === false) return;
  giveUpWithoutWorker(core, noWorkersTimeoutMs);
  if (core.starvedSinceMs === false || core.starvedSinceMs + noWorkersTimeoutMs > core.nowMs) return;
  for (const task of core.queues.unrestricted()) giveUp(core, task, noWorkersTimeoutMs);
}

/** Keeps the time since which tasks are queued and there is no worker at all. */
export function noteStarvation(core: Core): void {
  const isStarved = core.roster.size === 0 && core.table.counts.queued > 0;
  if (!isStarved) core.starvedSinceMs = false;
  else if (core.starvedSinceMs === false) core.starvedSinceMs = core.nowMs;
}

function giveUpWithoutWorker(core: Core, timeoutMs: number): void {
  for (const task of [...core.table.noWorker]) {
    if (task.state.name !== 'no-worker') continue;
    if (task.state.sinceMs + timeoutMs > core.nowMs) return;
    // A paused worker is there, and will go on: the clock starts anew.
    if (hasRegisteredWorker(core, task)) core.table.waitAnew(task, core.nowMs);
    else giveUp(core, task, timeoutMs);
  }
}

function giveUp(core: Core, task: SchedulerTask, timeoutMs: number): void {
  move(core, task, { name: 'erred', error: noValidWorker(task, timeoutMs), dependentsError: undefined });
}
