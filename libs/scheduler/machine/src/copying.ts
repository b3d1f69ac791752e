/**
 * Copies what only retiring workers have to workers that stay: what would cost most to make again for each byte first, so
 * much at a time, to whoever has most room, and nowhere beyond what makes that worker pause. A copy counts when its worker
 * says that it has it; where that worker dies or pauses, another is told.
 */
import type { Dependency } from '@spillway/messages';
import type { Core } from './core.js';
import { roomForCopiesBytes } from './headroom.js';
import { byCostPerByte } from './recompute-cost.js';
import { holdsReplica } from './replicas.js';
import { letGo } from './retirement.js';
import { isSafe, type Retirement } from './retiring-workers.js';
import { settleAll } from './settling.js';
import { smallValues } from './small-set.js';
import type { SchedulerTask } from './task.js';
import { asDependency } from './transitions/effects.js';
import type { WorkerView } from './worker-view.js';

/** Results in a row that find no room before the rest is put off until something changes. */
const MISSES_MAX = 64;
/** Newcomers that are less than this part of what waits are not sorted in. */
const RESORT_SHARE = 10;

/** Requires: the event is settled. Afterwards every retirement that can end has ended. */
export function workOnRetirements(core: Core): void {
  while (!core.retiring.isEmpty && goOn(core)) settleAll(core);
  if (!core.retiring.isEmpty || !core.retiring.mayBeVoid) return;
  dropVoidOrders(core);
  core.retiring.takeChanged();
}

/** The worker says that it has the result. */
export function noteCopied(core: Core, task: SchedulerTask, worker: WorkerView): void {
  const { retiring } = core;
  const order = retiring.orders.get(task);
  if (order?.target !== worker) return;
  retiring.orders.remove(task);
  retiring.mayHaveRoom = true;
  const retirement = retiring.get(order.source);
  if (retirement === undefined) return;
  retirement.copiedCount += 1;
  retirement.copiedBytes += order.nbytes;
}

/** Its session was lost, and with it what it had been told to fetch. */
export function dropOrdersTo(core: Core, target: WorkerView): void {
  for (const [task, order] of [...core.retiring.orders.all()]) {
    if (order.target !== target) continue;
    core.retiring.orders.remove(task);
    core.retiring.note(task);
  }
}

/** True when a worker was let go, which changes what others may do. */
function goOn(core: Core): boolean {
  const { retiring } = core;
  dropVoidOrders(core);
  enqueue(core, retiring.takeChanged());
  if (retiring.mayHaveRoom) for (const retirement of retiring.all()) tryAgain(retirement);
  retiring.mayHaveRoom = false;
  let hasLetGo = false;
  for (const retirement of [...retiring.all()]) {
    if (!retirement.leavesAll) orderCopies(core, retirement);
    if (!isOver(core, retirement)) continue;
    letGo(core, retirement);
    hasLetGo = true;
  }
  return hasLetGo;
}

function dropVoidOrders(core: Core): void {
  const { retiring } = core;
  if (!retiring.mayBeVoid) return;
  retiring.mayBeVoid = false;
  for (const [task, order] of [...retiring.orders.all()]) {
    if (isStanding(core, task, order.source, order.target)) continue;
    retiring.orders.remove(task);
    retiring.note(task);
    retiring.mayHaveRoom = true;
  }
}

/** A worker that pauses fetches nothing. */
const isStanding = (core: Core, task: SchedulerTask, source: WorkerView, target: WorkerView): boolean =>
  core.retiring.get(source) !== undefined &&
  holdsReplica(task, source) &&
  target.status === 'running' &&
  core.roster.get(target.id) === target;

/** Each for one of the retiring workers that have it, rather for one from which it is copied. */
function enqueue(core: Core, tasks: readonly SchedulerTask[]): void {
  const bySource = new Map<Retirement, SchedulerTask[]>();
  for (const task of new Set(tasks)) {
    const retirement = needsCopy(core, task) ? retirementOf(core, task) : undefined;
    if (retirement === undefined) continue;
    const known = bySource.get(retirement);
    if (known === undefined) bySource.set(retirement, [task]);
    else known.push(task);
  }
  for (const [retirement, added] of bySource) {
    // A few that come later, when what runs ends, go first: sorting all anew for each would cost more than it brings.
    if (added.length * RESORT_SHARE < retirement.queue.length)
      retirement.queue.push(...byCostPerByte(core, added));
    else retirement.queue = byCostPerByte(core, [...new Set([...retirement.queue, ...added])]);
  }
}

function retirementOf(core: Core, { state }: SchedulerTask): Retirement | undefined {
  if (state.name !== 'memory') return undefined;
  let leaving: Retirement | undefined;
  for (const worker of smallValues(state.whoHas)) {
    const retirement = core.retiring.get(worker);
    if (retirement?.leavesAll === false) return retirement;
    leaving ??= retirement;
  }
  return leaving;
}

const needsCopy = (core: Core, task: SchedulerTask): boolean =>
  !isSafe(task) && core.retiring.orders.get(task) === undefined;

function tryAgain(retirement: Retirement): void {
  while (retirement.setAside.length > 0) retirement.queue.push(retirement.setAside.pop()!);
}

/** Of many that find no room the rest is not looked at until something changes. */
function putOff({ queue, setAside }: Retirement): void {
  for (let task = queue.pop(); task !== undefined; task = queue.pop()) setAside.push(task);
}

function orderCopies(core: Core, retirement: Retirement): void {
  const { worker, queue, setAside } = retirement;
  const batches = new Map<WorkerView, Dependency[]>();
  let missesLeft = MISSES_MAX;
  while (missesLeft > 0) {
    const task = queue.pop();
    if (task === undefined) break;
    if (!holdsReplica(task, worker) || !needsCopy(core, task)) continue;
    const nbytes = task.state.name === 'memory' ? task.state.nbytes : 0;
    const target = chooseTarget(core, nbytes);
    if (target === 'all-busy') {
      queue.push(task);
      break;
    }
    if (target === undefined) {
      setAside.push(task);
      missesLeft -= 1;
      continue;
    }
    core.retiring.orders.add(task, { source: worker, target, nbytes });
    const batch = batches.get(target);
    if (batch === undefined) batches.set(target, [asDependency(task)]);
    else batch.push(asDependency(task));
  }
  if (missesLeft === 0) putOff(retirement);
  for (const [target, replicas] of batches)
    core.outbox.toWorker(target, { type: 'acquire-replicas', stimulusId: core.stimulusId, replicas });
}

/** The one with most room, of those that have not as much coming as they may. No retiring worker is one of them. */
function chooseTarget(core: Core, nbytes: number): WorkerView | 'all-busy' | undefined {
  let best: WorkerView | undefined;
  let bestBytes = -1;
  let isAnyBusy = false;
  for (const worker of core.roster.all()) {
    if (worker.status !== 'running') continue;
    const roomBytes = roomForCopiesBytes(worker, core.options) - worker.incomingBytes;
    if (roomBytes < nbytes) continue;
    if (isBusy(core, worker, nbytes)) {
      isAnyBusy = true;
      continue;
    }
    if (roomBytes <= bestBytes) continue;
    best = worker;
    bestBytes = roomBytes;
  }
  return best ?? (isAnyBusy ? 'all-busy' : undefined);
}

/** One that has nothing coming takes any. */
const isBusy = ({ options }: Core, { incomingCount, incomingBytes }: WorkerView, nbytes: number): boolean =>
  incomingCount > 0 &&
  (incomingCount >= options.copiesInFlightMax || incomingBytes + nbytes > options.copyBytesInFlightMax);

/** Whether nothing more is to be waited for. */
function isOver(core: Core, retirement: Retirement): boolean {
  const { worker, queue, setAside } = retirement;
  if (core.nowMs >= retirement.deadlineAtMs) return true;
  if (isWaitingUseless(core, retirement)) return true;
  if (worker.processing.size > 0) return false;
  if (retirement.leavesAll) return true;
  if (queue.length > 0) return false;
  if (core.retiring.orders.countFrom(worker) > 0) return false;
  // It is looked at again whenever there may be room.
  if (setAside.length > 0 && retirement.isBlockedTold) return false;
  const unsafe = [...worker.hasWhat].filter((task) => !isSafe(task));
  if (unsafe.length === 0) return true;
  // What is not set aside here is on its way from another retiring worker that has it too.
  if (unsafe.some((task) => core.retiring.orders.get(task) !== undefined)) return false;
  if (setAside.length === 0) return false;
  if (retirement.mayLeave) return true;
  tellBlocked(core, retirement, unsafe);
  return false;
}

/** No worker stays, whoever asked is in a hurry, and everything can be made again. */
function isWaitingUseless(
  { roster }: Core,
  { waitsForRoom, mayLeave, leavesAll, worker }: Retirement,
): boolean {
  if (waitsForRoom || leavesAll) return false;
  for (const each of roster.all()) if (each.status !== 'retiring') return false;
  if (mayLeave) return worker.processing.size === 0;
  for (const task of worker.hasWhat) if (task.spec?.recompute !== true && !isSafe(task)) return false;
  return true;
}

function tellBlocked(core: Core, retirement: Retirement, unsafe: readonly SchedulerTask[]): void {
  if (retirement.isBlockedTold) return;
  retirement.isBlockedTold = true;
  const { worker, deadlineAtMs } = retirement;
  const hasOthers = [...core.roster.all()].some(({ status }) => status !== 'retiring');
  core.outbox.log(
    'worker.retirement-blocked',
    {
      workerId: worker.id,
      name: worker.name,
      reason: hasOthers ? 'no other worker has room' : 'every other worker is retiring, or there is none',
      count: unsafe.length,
      deadlineMs: Math.round(deadlineAtMs - core.nowMs),
    },
    unsafe.map((task) => task.key),
  );
}
