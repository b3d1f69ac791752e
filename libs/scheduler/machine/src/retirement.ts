/**
 * Workers that leave on purpose: begun here, ended here. Nothing new is given to such a worker, what it runs may end until
 * its deadline, and what only it has is copied to others (`copying.ts`). It is let go when every result that it has is
 * elsewhere, by the word of who has it; or at the deadline, and then what becomes of the rest is said (ADR 0023).
 */
import type { RetirementReport } from '@spillway/messages';
import type { Core } from './core.js';
import type { SchedulerEvent, WorkerEvent } from './events.js';
import { leaveQueue, loseWorker } from './losses.js';
import { progressOf } from './retirement-report.js';
import { isSafe, type Retirement } from './retiring-workers.js';
import type { SchedulerTask } from './task.js';
import type { WorkerView } from './worker-view.js';

/** How a worker is to leave. */
export interface RetirementTerms {
  readonly reason: string;
  /** How long it may take; the setting when absent. */
  readonly deadlineMs?: number;
  /** A successor of its name takes over what it has on disk: what nobody has room for is left there. */
  readonly mayLeave: boolean;
  /** All of it is: a successor starts at once. */
  readonly leavesAll: boolean;
  /** Wait for room until the deadline; otherwise not where no worker stays, unless data would be lost for good. */
  readonly waitsForRoom: boolean;
}

type Event<Type extends SchedulerEvent['type']> = Extract<SchedulerEvent, { type: Type }>;

export function onRetireWorkers(core: Core, event: Event<'retire-workers'>): void {
  const terms = { ...event, mayLeave: false, leavesAll: false, waitsForRoom: true };
  for (const workerId of event.workerIds) {
    const worker = core.roster.get(workerId);
    if (worker !== undefined) beginRetirement(core, worker, terms);
  }
}

/** It was told to end, and would rather leave nothing behind. */
export function onRequestRetirement(
  core: Core,
  worker: WorkerView,
  event: Extract<WorkerEvent, { type: 'request-retirement' }>,
): void {
  const { reason, deadlineMs, mayLeave, leavesAll = false } = event;
  beginRetirement(core, worker, { reason, deadlineMs, mayLeave, leavesAll, waitsForRoom: false });
}

function beginRetirement(core: Core, worker: WorkerView, terms: RetirementTerms): void {
  const deadlineAtMs = core.nowMs + (terms.deadlineMs ?? core.options.retireDeadlineMs);
  const known = core.retiring.get(worker);
  if (known !== undefined) {
    // Asked twice: it has no longer than whoever is in more of a hurry gives it.
    known.deadlineAtMs = Math.min(known.deadlineAtMs, deadlineAtMs);
    return;
  }
  core.retiring.add({
    worker,
    reason: terms.reason,
    startedAtMs: core.nowMs,
    deadlineAtMs,
    mayLeave: terms.mayLeave || terms.leavesAll,
    leavesAll: terms.leavesAll,
    waitsForRoom: terms.waitsForRoom,
    queue: [],
    setAside: [],
    copiedCount: 0,
    copiedBytes: 0,
    isBlockedTold: false,
  });
  core.roster.setStatus(worker, 'retiring');
  core.hasMoved = true;
  core.mayDrain = true;
  core.outbox.log('worker.retiring', {
    workerId: worker.id,
    name: worker.name,
    reason: terms.reason,
    deadlineMs: deadlineAtMs - core.nowMs,
    processing: worker.processing.size,
    keys: worker.hasWhat.size,
    bytes: worker.heldBytes,
  });
  tellToRetire(core, worker);
  leaveQueue(core, worker);
}

/** Again after each new session: what is said in one that is lost may be lost with it. */
export function tellToRetire(core: Core, worker: WorkerView): void {
  core.outbox.toWorker(worker, { type: 'retire-worker', stimulusId: core.stimulusId });
}

/** It goes now: everything it has is elsewhere, or its time is over, or waiting is of no use. */
export function letGo(core: Core, retirement: Retirement): void {
  const { worker, mayLeave } = retirement;
  const left: SchedulerTask[] = [];
  const recomputed: SchedulerTask[] = [];
  const lost: SchedulerTask[] = [];
  for (const task of worker.hasWhat) {
    if (isSafe(task)) continue;
    if (mayLeave) left.push(task);
    else (task.spec?.recompute === true ? recomputed : lost).push(task);
  }
  const report: RetirementReport = {
    ...progressOf(core, retirement),
    outcome: 'retired',
    remainingCount: 0,
    remainingBytes: 0,
    takenBackCount: worker.processing.size,
    recomputedCount: recomputed.length,
    leftCount: left.length,
    lostCount: lost.length,
  };
  core.retiring.remove(worker);
  const summary = `retired (${retirement.reason})`;
  tellRetired(core, report);
  loseWorker(core, worker, { onPurpose: true, summary, leavesValues: left.length > 0 });
  core.roster.markEnded(worker.id);
  core.outbox.add({
    type: 'end-worker-session',
    stimulusId: core.stimulusId,
    workerId: worker.id,
    reason: summary,
    retired: { leavesValues: left.length > 0 },
  });
  core.outbox.add({ type: 'retirement-ended', stimulusId: core.stimulusId, report });
}

function tellRetired(core: Core, report: RetirementReport): void {
  const { workerId, name, forMs, copiedCount, copiedBytes, takenBackCount } = report;
  const { recomputedCount, leftCount, lostCount } = report;
  core.outbox.log('worker.retired', {
    workerId,
    name,
    forMs: Math.round(forMs),
    copiedCount,
    copiedBytes,
    takenBackCount,
    recomputedCount,
    leftCount,
    lostCount,
  });
}
