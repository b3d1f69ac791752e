/** What is said of workers that retire: how far they have come, and that one died before it could be let go. */
import type { RetirementReport } from '@spillway/messages';
import type { Core } from './core.js';
import { isSafe, type Retirement } from './retiring-workers.js';
import type { WorkerView } from './worker-view.js';

/** It died, or left, before it could be let go. What follows for tasks is as with every loss. */
export function retirementFailed(core: Core, worker: WorkerView): void {
  const retirement = core.retiring.get(worker);
  if (retirement === undefined) return;
  const report = { ...progressOf(core, retirement), outcome: 'died' as const };
  core.retiring.remove(worker);
  core.outbox.add({ type: 'retirement-ended', stimulusId: core.stimulusId, report });
}

/** As far as it has come. */
export function progressOf(core: Core, retirement: Retirement, nowMs = core.nowMs): RetirementReport {
  const { worker, copiedCount, copiedBytes, startedAtMs } = retirement;
  let remainingCount = 0;
  let remainingBytes = 0;
  for (const task of worker.hasWhat) {
    if (task.state.name !== 'memory' || isSafe(task)) continue;
    remainingCount += 1;
    remainingBytes += task.state.nbytes;
  }
  return {
    workerId: worker.id,
    name: worker.name,
    outcome: 'retiring',
    forMs: nowMs - startedAtMs,
    copiedCount,
    copiedBytes,
    remainingCount,
    remainingBytes,
    runningCount: worker.processing.size,
    takenBackCount: 0,
    recomputedCount: 0,
    leftCount: 0,
    lostCount: 0,
  };
}
