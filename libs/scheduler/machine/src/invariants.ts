/**
 * What is always true between two events. `checkTouched` looks at the tasks an event has moved (cheap, with `validate`);
 * `checkAll` looks at everything and belongs at the end of every test. Both throw `InvariantError` with the task's story.
 */
import { formatStory, InvariantError, type ModuleHash } from '@spillway/kernel';
import { hasBlocked, isAnythingExecuting } from './blocked.js';
import type { Core } from './core.js';
import { fitsPaused, fittingWorkers } from './fitting.js';
import { holdsReplica } from './replicas.js';
import { allowedWorkers } from './restrictions.js';
import { isSafe } from './retiring-workers.js';
import { smallHas, smallSize, smallValues } from './small-set.js';
import { isActive, type NoWorkerState, type SchedulerTask, type StateName } from './task.js';
import type { WorkerView } from './worker-view.js';

export function checkTouched(core: Core): void {
  for (const task of core.touched) if (task.state.name !== 'forgotten') checkTask(core, task);
  core.touched.clear();
}

export function checkAll(core: Core): void {
  const counts = new Map<StateName, number>();
  for (const task of core.table.all()) {
    counts.set(task.state.name, (counts.get(task.state.name) ?? 0) + 1);
    checkTask(core, task);
    checkRelations(core, task);
  }
  for (const [name, count] of counts) {
    check(
      core.table.counts[name] === count,
      `${core.table.counts[name]} tasks counted ${name}, ${count} are`,
    );
  }
  for (const worker of core.roster.all()) checkWorker(core, worker);
  checkMemoryWaits(core);
  checkRetirements(core);
  checkClients(core);
  checkModules(core);
  check(core.agenda.next() === undefined && core.agenda.ready.length === 0, 'the agenda is worked off');
}

/** One task by itself and its dependencies. */
export function checkTask(core: Core, task: SchedulerTask): void {
  const { state } = task;
  const say = (condition: boolean, message: string): void => checkThat(core, task, condition, message);
  say(core.table.get(task.key) === task, 'is in the table');
  if (isActive(task)) say(task.isNeeded, 'is active, so somebody needs it');
  const missing = task.dependencies.filter((input) => input.state.name !== 'memory');
  switch (state.name) {
    case 'released':
      say(!task.isNeeded, 'is released, so nobody needs it');
      say(
        task.dependents !== undefined || task.pinCount > 0 || !core.jobs.isEmpty,
        'is released, so a dependent may ask for it',
      );
      break;
    case 'waiting':
      say(state.missingCount === missing.length, `counts what is missing (${state.missingCount})`);
      say(
        missing.length > 0 || !core.jobs.isEmpty || core.recovery?.ready.has(task) === true,
        'is waiting, so something is missing',
      );
      say(!missing.some((input) => input.state.name === 'erred'), 'is waiting, so no input has erred');
      break;
    case 'queued':
      say(missing.length === 0, 'is queued, so nothing is missing');
      say(core.table.confined.has(task) === state.isConfined, 'is confined or not, whoever asks');
      break;
    case 'no-worker':
      say(missing.length === 0, 'has no worker, so nothing is missing');
      say(core.table.confined.has(task) === state.isConfined, 'is confined or not, whoever asks');
      checkWithoutWorker(core, task, state);
      break;
    case 'processing':
      say(state.worker.processing.get(state.runId) === task, 'is in the processing of its worker');
      say(core.roster.get(state.worker.id) === state.worker, 'is processing on a registered worker');
      say(missing.length === 0 || task.spec?.recompute === false, 'is processing, so nothing is missing');
      break;
    case 'memory':
      say(task.isNeeded, 'is in memory, so somebody needs it');
      say(smallSize(state.whoHas) > 0, 'is in memory, so somebody has it');
      break;
    case 'awaited':
      say(task.isNeeded, 'is awaited, so somebody needs it');
      say(state.untilMs > core.nowMs, 'is awaited, and its time is not over');
      break;
    case 'erred':
    case 'forgotten':
      break;
  }
}

function checkWithoutWorker(core: Core, task: SchedulerTask, { isConfined }: NoWorkerState): void {
  const allowed = allowedWorkers(core, task);
  const fitting = fittingWorkers(core, task, allowed);
  const say = (condition: boolean, message: string): void => checkThat(core, task, condition, message);
  say((fitting ?? allowed)?.length === 0, 'has no worker, so none it may run on is running');
  say(isConfined === (fitting !== undefined), 'has no worker, since its inputs are too large or otherwise');
  say(
    !isConfined || fitsPaused(core, task),
    'is too large for those that run, and waits for one that is paused',
  );
}

/** One task as seen from the other ends of its relations. */
function checkRelations(core: Core, task: SchedulerTask): void {
  const say = (condition: boolean, message: string): void => checkThat(core, task, condition, message);
  let waiterCount = 0;
  for (const dependent of smallValues(task.dependents)) {
    say(dependent.state.name !== 'forgotten', `is not kept by ${dependent.key}, which is forgotten`);
    say(dependent.dependencies.includes(task), `is a dependency of its dependent ${dependent.key}`);
    if (isActive(dependent)) waiterCount += 1;
  }
  say(
    task.waiterCount === waiterCount,
    `has ${waiterCount} active dependents and counts ${task.waiterCount}`,
  );
  for (const dependency of task.dependencies) {
    say(smallHas(dependency.dependents, task), `is a dependent of its dependency ${dependency.key}`);
    say(dependency.state.name !== 'forgotten', `depends on ${dependency.key}, which is forgotten`);
  }
  for (const client of smallValues(task.wantedBy)) {
    say(client.wants.has(task), `is wanted by ${client.id}, which knows`);
  }
  if (task.state.name === 'memory') {
    for (const worker of smallValues(task.state.whoHas)) {
      say(worker.hasWhat.has(task), `is held by ${worker.id}, which knows`);
      say(core.roster.get(worker.id) === worker, `is held by ${worker.id}, which is registered`);
    }
  }
  if (task.state.name === 'erred')
    say(task.isNeeded || task.dependents !== undefined || task.pinCount > 0, 'has erred and is asked for');
}

function checkWorker(core: Core, worker: WorkerView): void {
  let backlogMs = 0;
  for (const [runId, task] of worker.processing) {
    const { state } = task;
    checkThat(
      core,
      task,
      state.name === 'processing' && state.worker === worker && state.runId === runId,
      `runs on ${worker.id}`,
    );
    if (state.name === 'processing') backlogMs += state.expectedMs;
  }
  check(Math.abs(backlogMs - worker.backlogMs) < 1e-3, `${worker.id} adds up what it has to do`);
  let heldBytes = 0;
  for (const task of worker.hasWhat) {
    const { state } = task;
    checkThat(
      core,
      task,
      state.name === 'memory' && smallHas(state.whoHas, worker),
      `is held by ${worker.id}`,
    );
    if (state.name === 'memory') heldBytes += state.nbytes;
  }
  check(heldBytes === worker.heldBytes, `${worker.id} adds up what it holds`);
  check(worker.level >= 0 === (worker.status === 'running'), `${worker.id} is offered work while it runs`);
  check(
    core.roster.paused.has(worker) === (worker.status === 'paused'),
    `${worker.id} is paused or not, whoever asks`,
  );
  checkNotIdle(core, worker);
}

/** Work conservation: nobody has a free slot while a task waits that could use it. */
function checkNotIdle(core: Core, worker: WorkerView): void {
  if (!worker.hasFreeSlot) return;
  check(!core.queues.hasWorkFor(worker), `${worker.id} has a free slot, so nothing is queued for it`);
}

/** Whatever memory holds up, something will happen: a run ends, or time is up. */
function checkMemoryWaits(core: Core): void {
  let drainingCount = 0;
  for (const task of core.table.all()) {
    if (task.state.name !== 'processing' || task.state.isDraining !== true) continue;
    drainingCount += 1;
    checkThat(core, task, core.draining === task, 'is the one that drains');
  }
  check(drainingCount <= 1, `one task drains at a time, not ${drainingCount}`);
  const isHeldUp = core.roster.paused.size > 0 && !isAnythingExecuting(core) && hasBlocked(core);
  check(isHeldUp === (core.stuckSinceMs !== false), 'while memory holds up everything, the time is kept');
}

/** Nothing that only retiring workers have is forgotten about, and nobody is kept who could go. */
function checkRetirements(core: Core): void {
  const { retiring, roster } = core;
  const incoming = new Map<WorkerView, { count: number; bytes: number }>();
  for (const [task, { source, target, nbytes }] of retiring.orders.all()) {
    const say = (condition: boolean, message: string): void => checkThat(core, task, condition, message);
    say(retiring.get(source) !== undefined, `is copied from ${source.id}, which is retiring`);
    say(holdsReplica(task, source), `is copied from ${source.id}, which has it`);
    say(!holdsReplica(task, target), `is copied to ${target.id}, which has not said that it has it`);
    say(
      roster.get(target.id) === target && target.status === 'running',
      `is copied to ${target.id}, which runs`,
    );
    const sum = incoming.get(target) ?? { count: 0, bytes: 0 };
    incoming.set(target, { count: sum.count + 1, bytes: sum.bytes + nbytes });
  }
  for (const worker of roster.all()) {
    const { count, bytes } = incoming.get(worker) ?? { count: 0, bytes: 0 };
    check(
      count === worker.incomingCount && bytes === worker.incomingBytes,
      `${worker.id} adds up what it is to fetch`,
    );
    const { copiesInFlightMax, copyBytesInFlightMax } = core.options;
    check(count <= copiesInFlightMax, `${worker.id} is to fetch no more than ${copiesInFlightMax} copies`);
    check(
      count <= 1 || bytes <= copyBytesInFlightMax,
      `${worker.id} is to fetch no more than ${copyBytesInFlightMax} bytes`,
    );
  }
  const planned = new Set([...retiring.all()].flatMap(({ queue, setAside }) => [...queue, ...setAside]));
  for (const { worker, deadlineAtMs } of retiring.all()) {
    check(roster.get(worker.id) === worker, `${worker.id} retires, so it is registered`);
    check(worker.status === 'retiring', `${worker.id} retires, so it takes nothing`);
    check(deadlineAtMs > core.nowMs, `${worker.id} retires, and its time is not over`);
    let isAnyUnsafe = false;
    for (const task of worker.hasWhat) {
      if (isSafe(task)) continue;
      isAnyUnsafe = true;
      const isSeenTo = planned.has(task) || retiring.orders.get(task) !== undefined;
      checkThat(core, task, isSeenTo, `is on retiring workers only, so it is to be copied`);
    }
    const isWaited = worker.processing.size > 0 || isAnyUnsafe || hasPlans(core, worker);
    check(isWaited, `${worker.id} retires, so there is something that it waits for`);
  }
}

/** Until it is looked at again, what was set aside and has been freed since keeps a worker. */
const hasPlans = ({ retiring }: Core, worker: WorkerView): boolean =>
  (retiring.get(worker)?.setAside.length ?? 0) > 0 || retiring.orders.countFrom(worker) > 0;

function checkClients(core: Core): void {
  for (const client of core.clients.values()) {
    for (const task of client.wants) {
      checkThat(core, task, smallHas(task.wantedBy, client), `knows that ${client.id} wants it`);
      checkThat(core, task, core.table.get(task.key) === task, `is wanted by ${client.id}, so it is known`);
    }
    let stagedTaskCount = 0;
    for (const graph of client.staged.values()) stagedTaskCount += graph.size + 1;
    check(stagedTaskCount === client.stagedTaskCount, `${client.id} adds up what it has staged`);
    check((client.leaseEndsAtMs !== false) === core.leased.has(client), `${client.id} has a lease or none`);
  }
}

function checkModules(core: Core): void {
  const counts = new Map<ModuleHash, number>();
  for (const task of core.table.all()) {
    const ref = task.learned?.ref;
    if (ref?.kind === 'bundle') counts.set(ref.moduleHash, (counts.get(ref.moduleHash) ?? 0) + 1);
  }
  for (const [hash, count] of counts) {
    check(core.functions.liveTaskCount(hash) === count, `module ${hash} counts its ${count} tasks`);
  }
}

function check(condition: boolean, message: string): void {
  if (!condition) throw new InvariantError(`Not true: ${message}`);
}

function checkThat(core: Core, task: SchedulerTask, condition: boolean, message: string): void {
  if (condition) return;
  const story = formatStory(core.table.story.of(task.key));
  throw new InvariantError(
    `Not true: task ${task.key} (${task.state.name}) ${message}. Its story:\n${story}`,
  );
}
