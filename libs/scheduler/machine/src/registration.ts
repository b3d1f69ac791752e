/** Workers that come, come back, pause, resume and retire, and the values they bring along. */
import { assertNever } from '@spillway/kernel';
import type { Holding, WorkerHello, WorkerStatus } from '@spillway/messages';
import { bringIntoMemory } from './arrivals.js';
import { endWaitFor } from './lost-results.js';
import type { Core } from './core.js';
import { leaveQueue, loseReplicas, loseWorker, takeBack } from './losses.js';
import { dropOrdersTo, noteCopied } from './copying.js';
import { forgetStrays, noLongerExpected, takeUpRuns } from './recovery.js';
import { addReplica } from './replicas.js';
import { tellToRetire } from './retirement.js';
import { dropCopy } from './scatter.js';
import { replan } from './settling.js';
import type { MemoryLimit } from './worker-roster.js';
import { WorkerView } from './worker-view.js';

export function onWorkerRegistered(core: Core, hello: WorkerHello): void {
  if (core.roster.hasEnded(hello.workerId)) {
    refuse(core, hello);
    return;
  }
  const sameName = core.roster.named(hello.name);
  if (sameName !== undefined && sameName.id !== hello.workerId) replace(core, sameName, hello);
  const known = core.roster.get(hello.workerId);
  const worker = known ?? new WorkerView(hello, core.nextWorkerOrder(), core.options);
  if (known === undefined) {
    worker.registeredAtMs = core.nowMs;
    core.roster.add(worker);
    core.journal.add({ type: 'worker-came', workerId: worker.id, name: worker.name });
  } else renewSession(core, known, hello);
  core.outbox.log('worker.registered', {
    workerId: worker.id,
    name: worker.name,
    address: worker.holder.address,
    nthreads: worker.nthreads,
    holdings: hello.holdings.length,
  });
  core.hasMoved = true;
  forgetStrays(core, worker);
  core.retiring.mayHaveRoom = true;
  addReplicas(core, worker, hello.holdings);
  takeUpRuns(core, worker, hello);
  if (core.recovery === undefined) endWaitFor(core, worker.name);
  noLongerExpected(core, worker.name, worker.id);
  if (known !== undefined) dropMissingReplicas(core, worker, hello.holdings);
  offerWork(core, worker);
}

/** A hello that was under way while its process died or was replaced: it must not take the place of its successor. */
function refuse(core: Core, { workerId, name }: WorkerHello): void {
  const reason = `Worker ${workerId} (${name}) was reported dead or has been replaced, so it cannot register.`;
  core.outbox.log('worker.refused', { workerId, name, reason });
  core.outbox.add({ type: 'end-worker-session', stimulusId: core.stimulusId, workerId, reason });
}

/** The older of two of one name is taken for dead. It may live all the same (started twice by mistake): then it has to end. */
function replace(core: Core, older: WorkerView, { workerId, name }: WorkerHello): void {
  loseWorker(core, older, { onPurpose: false, replacedBy: workerId });
  core.roster.markEnded(older.id);
  const reason = `Worker ${workerId} has registered under the same name, ${name}. Give each worker its own name.`;
  core.outbox.add({ type: 'end-worker-session', stimulusId: core.stimulusId, workerId: older.id, reason });
}

export function onWorkerStatusChange(core: Core, worker: WorkerView, status: WorkerStatus): void {
  // Whatever its memory does: it leaves, and takes nothing more.
  if (worker.status === status || core.retiring.get(worker) !== undefined) return;
  core.roster.setStatus(worker, status);
  core.retiring.mayHaveRoom = true;
  core.retiring.mayBeVoid = true;
  core.hasMoved = true;
  core.mayDrain = true;
  const fields = { workerId: worker.id, name: worker.name };
  switch (status) {
    case 'running':
      core.outbox.log('worker.resumed', fields);
      offerWork(core, worker);
      return;
    case 'paused':
      core.outbox.log('worker.paused', { ...fields, processBytes: worker.readings.processBytes });
      leaveQueue(core, worker);
      return;
    case 'retiring':
      core.outbox.log('worker.retiring', fields);
      // What others that retire have, too, has one copy less on workers that stay.
      for (const task of worker.hasWhat) core.retiring.note(task);
      leaveQueue(core, worker);
      return;
    default:
      assertNever(status, 'worker status');
  }
}

export function setLimit(core: Core, worker: WorkerView, limit: MemoryLimit): void {
  const { memoryLimitBytes, isLimitEnforced, inputBytesMax } = worker;
  if (memoryLimitBytes === limit.memoryLimitBytes && isLimitEnforced === limit.isLimitEnforced) return;
  core.roster.setLimit(worker, limit);
  // Some of what is queued for it may be too large for it now.
  if (worker.inputBytesMax < inputBytesMax) leaveQueue(core, worker);
}

/** Values a worker holds: replicas of results, results that arrive this way, or leftovers nobody needs, which are freed. */
export function addReplicas(core: Core, worker: WorkerView, holdings: readonly Holding[]): void {
  // With more inputs at hand, tasks that waited for another home may start here now.
  core.agenda.roomy.add(worker);
  core.mayDrain = true;
  for (const { key, nbytes } of holdings) {
    const task = core.table.get(key);
    if (task?.state.name === 'memory') {
      addReplica(task, worker);
      noteCopied(core, task, worker);
    } else if (task?.isNeeded === true && task.state.name !== 'erred') {
      const isRunningElsewhere = task.state.name === 'processing' && task.state.worker !== worker;
      if (isRunningElsewhere) core.stopRun(task);
      bringIntoMemory(core, task, nbytes, [worker]);
    } else {
      dropCopy(core, worker, key);
    }
  }
}

/**
 * Its session was lost and it has begun another: what it was running is void, unless it still runs or it brings the
 * result along.
 */
function renewSession(core: Core, worker: WorkerView, hello: WorkerHello): void {
  const brought = new Set(hello.holdings.map((holding) => holding.key));
  const goesOn = new Set(hello.executing?.map((run) => run.runId));
  for (const [runId, task] of [...worker.processing])
    if (!brought.has(task.key) && !goesOn.has(runId)) takeBack(core, task, undefined);
  worker.renew(hello);
  setLimit(core, worker, hello);
  dropOrdersTo(core, worker);
  const isRetiring = core.retiring.get(worker) !== undefined;
  core.roster.setStatus(worker, isRetiring ? 'retiring' : 'running');
  if (isRetiring) tellToRetire(core, worker);
}

function dropMissingReplicas(core: Core, worker: WorkerView, holdings: readonly Holding[]): void {
  const brought = new Set(holdings.map((holding) => holding.key));
  loseReplicas(
    core,
    worker,
    [...worker.hasWhat].filter((task) => !brought.has(task.key)),
  );
}

/** It has room: for what is queued, and for tasks that may run on it alone. */
function offerWork(core: Core, worker: WorkerView): void {
  core.agenda.roomy.add(worker);
  const waiting = new Set([
    ...core.table.unplacedNaming(worker.name),
    ...core.table.unplacedNaming(worker.id),
  ]);
  for (const task of waiting) replan(core, task);
}
