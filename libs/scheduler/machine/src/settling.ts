/**
 * Decides what the tasks on the agenda do next, then gives ready tasks to workers. Every decision is a function of the
 * task's own situation (is it needed, what misses, what failed), so the order in which events left it there does not
 * matter. The effects of a move are in `transitions/`, where to run is in `placement.ts`, who goes first in `queueing.ts`.
 */
import { assertNever } from '@spillway/kernel';
import type { RemoteError } from '@spillway/messages';
import type { Core } from './core.js';
import { dataNotRecoverable, dependencyFailed, sideEffectsDone } from './failures.js';
import { fits, fitsPaused, fittingWorkers } from './fitting.js';
import type { Job } from './jobs.js';
import { chooseWorker } from './placement.js';
import { refusal } from './refusal.js';
import { allowedWorkers } from './restrictions.js';
import {
  comparePriority,
  FORGOTTEN,
  QUEUED_ANYWHERE,
  RELEASED,
  waitingFor,
  type SchedulerTask,
} from './task.js';
import { asDependency } from './transitions/effects.js';
import { move } from './transitions/index.js';
import type { WorkerView } from './worker-view.js';

/** Smaller results are no concern of a worker's admission, and not worth their bytes on the wire. */
const TOLD_BYTES_MIN = 65_536;
/** Least loaded workers that compete with the holders of a task's inputs. */
const LEAST_LOADED_LOOKED_AT = 4;

export function settleAll(core: Core): void {
  // Another worker may be large enough for them now, or none any more.
  if (core.roster.takeHasChanged()) for (const task of [...core.table.confined]) replan(core, task);
  do settleAgenda(core);
  while (core.agenda.hasTasks);
  if (core.agenda.later.length === 0) return;
  core.jobs.add(new RevisitTasks(core.agenda.later));
  core.agenda.later = [];
}

function settleAgenda(core: Core): void {
  const { agenda } = core;
  for (let task = agenda.next(); task !== undefined; task = agenda.next()) settle(core, task);
  // Only now is it known what became ready and which workers have room. Dependents go before the queue is looked at,
  // and the best priority first.
  const ready = agenda.takeReady();
  if (core.recovery !== undefined) {
    for (const task of ready) core.recovery.ready.add(task);
    return;
  }
  if (ready.length > 1) ready.sort(comparePriority);
  for (const task of ready) {
    if (core.spendStep()) place(core, task);
    else agenda.later.push(task);
  }
  fillWorkers(core);
}

/** One input can make 100,000 tasks ready, and one release 100,000 forgotten: what is over a slice is done in the next ones. */
class RevisitTasks implements Job {
  #index = 0;

  constructor(private readonly tasks: readonly SchedulerTask[]) {}

  work(core: Core, stepsMax: number): boolean {
    const end = Math.min(this.tasks.length, this.#index + stepsMax);
    for (; this.#index < end; this.#index += 1) core.agenda.add(this.tasks[this.#index]!);
    return end === this.tasks.length;
  }
}

/** Takes a task that has a place in a queue, or none, back, to look for a place again. */
export function replan(core: Core, task: SchedulerTask): void {
  if (task.state.name === 'queued' || task.state.name === 'no-worker') move(core, task, waitingFor(task));
}

function settle(core: Core, task: SchedulerTask): void {
  const { state } = task;
  switch (state.name) {
    case 'released':
      settleReleased(core, task);
      return;
    case 'waiting':
    case 'queued':
    case 'no-worker':
    case 'processing':
      settleActive(core, task);
      return;
    case 'memory':
    case 'awaited':
      if (!task.isNeeded) move(core, task, RELEASED);
      return;
    case 'erred':
      // Kept as long as anything may ask why; a dependent that comes later fails with the same error.
      if (!task.isNeeded && isForgettable(task)) move(core, task, RELEASED);
      return;
    case 'forgotten':
      return;
    default:
      assertNever(state, 'task state');
  }
}

function settleReleased(core: Core, task: SchedulerTask): void {
  if (!task.isNeeded) {
    if (!isForgettable(task)) return;
    if (core.spendStep()) move(core, task, FORGOTTEN);
    else core.agenda.later.push(task);
    return;
  }
  const error = whyItCannotRun(task);
  if (error === undefined) move(core, task, waitingFor(task));
  else move(core, task, { name: 'erred', error, dependentsError: undefined });
}

function settleActive(core: Core, task: SchedulerTask): void {
  const { state } = task;
  if (!task.isNeeded) {
    core.stopRun(task);
    move(core, task, RELEASED);
    return;
  }
  if (state.name === 'waiting' && state.missingCount === 0) {
    core.agenda.ready.push(task);
    return;
  }
  // Rare from here on: an input erred or was lost. Looking at all inputs is paid for by that.
  const error = errorOfInputs(task);
  if (error !== undefined) {
    core.stopRun(task);
    move(core, task, { name: 'erred', error, dependentsError: undefined });
    return;
  }
  if (state.name === 'waiting' || task.dependencies.every((input) => input.state.name === 'memory')) return;
  // It may have begun, and must not begin twice: it keeps its worker, which is told when the input is there again.
  if (state.name === 'processing' && task.spec?.recompute === false) return;
  core.stopRun(task);
  move(core, task, waitingFor(task));
}

const isForgettable = (task: SchedulerTask): boolean => task.dependents === undefined && task.pinCount === 0;

function whyItCannotRun(task: SchedulerTask): RemoteError | undefined {
  if (task.spec === undefined) return dataNotRecoverable(task);
  if (!task.spec.recompute && task.mayHaveRun) return sideEffectsDone(task);
  return errorOfInputs(task);
}

function errorOfInputs(task: SchedulerTask): RemoteError | undefined {
  for (const input of task.dependencies) {
    if (input.state.name === 'erred') return dependencyFailed(input, input.state);
  }
  return undefined;
}

function place(core: Core, task: SchedulerTask): void {
  if (task.state.name !== 'waiting' || task.state.missingCount > 0) return;
  const wanted = allowedWorkers(core, task);
  const fitting = fittingWorkers(core, task, wanted);
  const isConfined = fitting !== undefined;
  const allowed = fitting ?? wanted;
  if (allowed?.length === 0) {
    if (isConfined && !fitsPaused(core, task))
      move(core, task, { name: 'erred', error: refusal(core, task), dependentsError: undefined });
    else move(core, task, { name: 'no-worker', sinceMs: core.nowMs, isConfined });
    return;
  }
  const candidates = allowed ?? core.roster.loads.leastLoaded(LEAST_LOADED_LOOKED_AT);
  const choice = chooseWorker(task, candidates, allowed, core.options);
  if (choice !== undefined && hasRoomFor(core, choice.worker, task)) {
    // A root for a worker under pressure always goes by the queue: what has inputs goes first there, whatever its priority.
    const isRootUnderPressure = task.isRoot && choice.worker.isUnderPressure;
    if (!isRootUnderPressure && !core.queues.outranks(task, choice.worker, choice.atHome, core.options)) {
      assign(core, task, choice.worker);
      return;
    }
    // That worker takes the better task, and this one may be for the next.
    for (const worker of candidates) core.agenda.roomy.add(worker);
    core.agenda.roomy.add(choice.worker);
  }
  const home = choice?.atHome === true ? choice.worker : undefined;
  const isAnywhere = home === undefined && !isConfined;
  move(core, task, isAnywhere ? QUEUED_ANYWHERE : { name: 'queued', home, isConfined });
  core.queues.push(task, home, allowed);
  if (allowed === undefined) return;
  // It would start earlier where its inputs are, as far as can be known; but nobody idles before a queue of its own.
  for (const worker of allowed) if (worker.hasFreeSlot) core.agenda.roomy.add(worker);
}

/** Free slots of all workers first, prefetch after: nobody is handed a second task while another has none. */
function fillWorkers(core: Core): void {
  const { roomy } = core.agenda;
  if (roomy.size === 0) return;
  if (core.table.counts.queued === 0) {
    roomy.clear();
    return;
  }
  if (roomy.size > 1) for (const worker of roomy) while (worker.hasFreeSlot && takeNext(core, worker));
  for (const worker of roomy) {
    // Taken off first: what it takes may bring it, or others, back on (see `wakeIdle`).
    roomy.delete(worker);
    while (takeNext(core, worker));
  }
}

/**
 * A worker has more to do than before. Tasks that wait for a home may start earlier on a worker that has nothing to do,
 * and nothing else would make that one look.
 */
export function wakeIdle(core: Core): void {
  if (!core.queues.hasHomed()) return;
  const [idle] = core.roster.loads.leastLoaded(1);
  if (idle?.hasFreeSlot === true) core.agenda.roomy.add(idle);
}

function takeNext(core: Core, worker: WorkerView): boolean {
  if (worker.status !== 'running' || core.table.counts.queued === 0) return false;
  const task = core.queues.nextFor(worker, core.options);
  if (task === undefined || !hasRoomFor(core, worker, task)) return false;
  if (fits(task, worker)) assign(core, task, worker);
  else replan(core, task);
  return true;
}

const hasRoomFor = (core: Core, worker: WorkerView, task: SchedulerTask): boolean =>
  worker.hasRoom(core.expectedMs(task)) && worker.hasRoomForBytes(core.expectedBytes(task));

/** Requires: the task is waiting for nothing, or queued. `isDraining`: although the worker is paused. */
export function assign(
  core: Core,
  task: SchedulerTask,
  worker: WorkerView,
  { isDraining }: { readonly isDraining: boolean } = { isDraining: false },
): void {
  const { spec } = task;
  if (spec === undefined) return;
  const runId = core.nextRunId();
  const expectedBytes = core.expectedBytes(task);
  move(core, task, {
    name: 'processing',
    worker,
    runId,
    expectedMs: core.expectedMs(task),
    expectedBytes,
    ...(isDraining ? { isDraining } : {}),
  });
  // It must not begin again: that it may have begun is known before it does.
  const isOnce = !spec.recompute;
  if (isOnce) core.journal.history(task, true);
  core.outbox.toWorker(
    worker,
    {
      type: 'compute-task',
      stimulusId: core.stimulusId,
      runId,
      priority: [-spec.priority, task.submission, task.order],
      attempt: task.attempt,
      expectedMs: task.learned?.cost.meanMs,
      ...(expectedBytes < TOLD_BYTES_MIN ? {} : { expectedBytes: Math.round(expectedBytes) }),
      ...(isDraining ? { evenIfPaused: true } : {}),
      spec,
      dependencies: task.dependencies.map(asDependency),
    },
    isOnce,
  );
  wakeIdle(core);
}
