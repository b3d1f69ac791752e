/**
 * What follows when workers or copies are lost: runs are taken back, results that are still needed are made again with
 * exactly the tasks that takes, and only tasks that were executing are charged with a death.
 */
import type { TaskKey, WorkerId } from '@spillway/kernel';
import type { Verdict } from '@spillway/messages';
import type { Core } from './core.js';
import type { WorkerEvent } from './events.js';
import { forgetStrays, takeUpRunsOf } from './recovery.js';
import { killedWorker, sideEffectsDone } from './failures.js';
import { lossVerdict } from './loss-verdict.js';
import { awaitSuccessor, releaseLost } from './lost-results.js';
import { holdsReplica, removeReplica, replicaCount } from './replicas.js';
import { retirementFailed } from './retirement-report.js';
import { replan } from './settling.js';
import { smallValues } from './small-set.js';
import { waitingFor, type Death, type SchedulerTask } from './task.js';
import { asDependency } from './transitions/effects.js';
import { move } from './transitions/index.js';
import type { WorkerView } from './worker-view.js';

type Report<Type extends WorkerEvent['type']> = Extract<WorkerEvent, { type: Type }>;

export interface WorkerLoss {
  /** It left in order: nobody is charged. */
  readonly onPurpose: boolean;
  /** Why it left, for people. */
  readonly summary?: string;
  /** Of its nanny; without one the scheduler makes its own. */
  readonly verdict?: Verdict;
  /** Another has registered under its name. */
  readonly replacedBy?: WorkerId;
  /** Its successor takes over what it had on disk. */
  readonly leavesValues?: boolean;
}

export function loseWorker(core: Core, worker: WorkerView, loss: WorkerLoss): void {
  takeUpRunsOf(core, worker);
  retirementFailed(core, worker);
  core.roster.remove(worker);
  core.journal.add({ type: 'worker-gone', workerId: worker.id });
  core.retiring.mayBeVoid = true;
  core.hasMoved = true;
  core.outbox.dropFreesOf(worker);
  const verdict = loss.verdict ?? (loss.onPurpose ? undefined : lossVerdict(core, worker, loss.replacedBy));
  core.outbox.log('worker.lost', {
    workerId: worker.id,
    name: worker.name,
    onPurpose: loss.onPurpose,
    summary: verdict?.summary ?? loss.summary ?? 'it left in order',
    ...(verdict === undefined ? {} : { cause: verdict.cause.kind }),
    processing: worker.processing.size,
    keys: worker.hasWhat.size,
  });
  const charged = loss.onPurpose ? undefined : chargedTasks(worker);
  const death = verdict === undefined ? undefined : deathOf(worker, verdict);
  if (death !== undefined && loss.verdict === undefined) core.unexplained.add(death);
  for (const task of [...worker.processing.values()])
    takeBack(core, task, charged?.has(task) === true ? death : undefined);
  leaveQueue(core, worker);
  loseReplicas(core, worker, [...worker.hasWhat], loss.leavesValues);
  core.agenda.roomy.delete(worker);
  for (const peer of core.roster.all()) {
    core.outbox.toWorker(peer, { type: 'peer-lost', stimulusId: core.stimulusId, workerId: worker.id });
  }
}

const deathOf = (worker: WorkerView, verdict: Verdict): Death => ({
  workerId: worker.id,
  workerName: worker.name,
  verdict,
  executing: worker.executingTasks,
});

/** The run is void. Requires: the task is processing; its worker is gone or has forgotten the run. */
export function takeBack(core: Core, task: SchedulerTask, death: Death | undefined): void {
  if (task.spec?.recompute === false) {
    move(core, task, { name: 'erred', error: sideEffectsDone(task), dependentsError: undefined });
    return;
  }
  task.mayHaveRun = true;
  if (death === undefined) {
    move(core, task, waitingFor(task));
    return;
  }
  task.deaths = [...(task.deaths ?? []), death];
  task.attempt += 1;
  core.journal.history(task);
  core.outbox.log(
    'task.suspicious',
    { key: task.key, deaths: task.deaths.length, workerId: death.workerId },
    [task.key],
  );
  if (task.deaths.length <= core.options.allowedFailures) {
    move(core, task, waitingFor(task));
    return;
  }
  move(core, task, { name: 'erred', error: killedWorker(task), dependentsError: undefined });
}

/** Queued tasks that belonged to a worker look for a place again: it takes no more, or not these. */
export function leaveQueue(core: Core, worker: WorkerView): void {
  for (const queue of [worker.ownQueue, worker.ownRoots]) {
    const tasks = queue.live();
    queue.clear();
    for (const task of tasks) replan(core, task);
  }
}

/** Copies are gone from one worker; whatever had its last copy there is made again if needed, or waited for at first. */
export function loseReplicas(
  core: Core,
  worker: WorkerView,
  tasks: readonly SchedulerTask[],
  mayComeBack = false,
): void {
  const lost: SchedulerTask[] = [];
  for (const task of tasks) {
    if (!holdsReplica(task, worker)) continue;
    removeReplica(task, worker);
    if (replicaCount(task) === 0) lost.push(task);
    else core.retiring.note(task);
  }
  if (mayComeBack) awaitSuccessor(core, worker, lost);
  else releaseLost(core, { workerId: worker.id, name: worker.name }, lost);
}

export function onReplicaMissing(core: Core, worker: WorkerView, event: Report<'replica-missing'>): void {
  const task = core.table.get(event.key);
  const holder = core.roster.get(event.holderId);
  if (task !== undefined && holder !== undefined && holdsReplica(task, holder)) {
    loseReplicas(core, holder, [task]);
    // It may have the value all the same, and only this peer could not reach it: a copy nobody would know of.
    core.outbox.free(holder, task.key);
  }
  refreshWhoHas(core, worker, [event.key]);
}

export function onReplicasLost(core: Core, worker: WorkerView, event: Report<'replicas-lost'>): void {
  forgetStrays(core, worker, event.keys);
  const tasks: SchedulerTask[] = [];
  for (const key of event.keys) {
    const task = core.table.get(key);
    if (task !== undefined) tasks.push(task);
  }
  loseReplicas(core, worker, tasks);
  refreshWhoHas(core, worker, event.keys);
}

/** Where the keys are now. Runs whose input is nowhere are being taken back, so "nowhere" needs no second answer. */
export function refreshWhoHas(core: Core, worker: WorkerView, keys: readonly TaskKey[]): void {
  if (keys.length === 0) return;
  // Asked for as a copy, and needed no longer: what nobody has, the worker would look for for ever.
  for (const key of keys) if (isFutile(core, worker, key)) core.outbox.free(worker, key);
  core.outbox.toWorker(worker, {
    type: 'refresh-who-has',
    stimulusId: core.stimulusId,
    dependencies: keys.map((key) => {
      const task = core.table.get(key);
      return task === undefined ? { key, nbytes: 0, whoHas: [] } : asDependency(task);
    }),
  });
}

/** Nobody needs it, or it has erred, and the worker runs nothing that takes it or makes it. */
function isFutile(core: Core, worker: WorkerView, key: TaskKey): boolean {
  const task = core.table.get(key);
  if (task === undefined) return true;
  if (task.state.name === 'memory' || worker.isRunning(task)) return false;
  if (task.isNeeded && task.state.name !== 'erred') return false;
  for (const dependent of smallValues(task.dependents)) if (worker.isRunning(dependent)) return false;
  return true;
}

/**
 * Tasks that a dead worker was executing: those it had reported as such, and of those it got after its last heartbeat
 * the oldest, as many as it had slots left. What stood behind them in its queue is not to blame.
 */
function chargedTasks(worker: WorkerView): Set<SchedulerTask> {
  const charged = new Set<SchedulerTask>();
  for (const [runId, task] of worker.processing) if (worker.executing.has(runId)) charged.add(task);
  for (const [runId, task] of worker.processing) {
    if (charged.size >= worker.nthreads) break;
    if (runId > worker.lastRunIdAtHeartbeat) charged.add(task);
  }
  return charged;
}
