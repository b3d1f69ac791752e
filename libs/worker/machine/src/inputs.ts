/**
 * The relation between an assigned task and its inputs: a task in `waiting` or `ready` is in `neededBy` of each of its
 * inputs, and what is needed and not here is fetched, or being made here.
 */
import type { WorkerId } from '@spillway/kernel';
import type { Dependency, Priority } from '@spillway/messages';
import type { MachineContext } from './context.js';
import {
  RELEASED,
  REPLICA_PRIORITY,
  comparePriority,
  isNeeded,
  type FetchState,
  type Run,
  type WorkerTask,
} from './task.js';

/** Ties a run to its inputs and sees to those that are missing. Returns how many are. */
export function attachInputs(context: MachineContext, run: Run, options: { isHolderListFresh: boolean }): number {
  let missingCount = 0;
  for (const dependency of run.message.dependencies) {
    const input = context.tasks.obtain(dependency.key);
    input.neededBy ??= new Set();
    if (input === run.task || input.neededBy.has(run.task)) continue;
    input.neededBy.add(run.task);
    if (input.state.name === 'memory') continue;
    missingCount += 1;
    wantValue(context, input, {
      dependency,
      priority: run.message.priority,
      asReplica: false,
      isHolderListFresh: options.isHolderListFresh,
    });
  }
  return missingCount;
}

/** Unties a run from its inputs; those that nobody else wants are not fetched any more. */
export function detachInputs(context: MachineContext, run: Run): void {
  for (const { key } of run.message.dependencies) {
    const input = context.tasks.get(key);
    if (input?.neededBy?.delete(run.task) !== true || isNeeded(input)) continue;
    const { state } = input;
    if ((state.name === 'fetch' || state.name === 'flight') && !state.asReplica) release(context, input);
  }
}

export interface Want {
  readonly dependency: Dependency;
  readonly priority: Priority;
  readonly asReplica: boolean;
  /** False for a list of holders that was read before: peers that are gone since are not taken from it. */
  readonly isHolderListFresh: boolean;
}

/** Sees to it that a value that is not in memory comes: by fetching it, unless it is under way or being made here. */
export function wantValue(context: MachineContext, task: WorkerTask, want: Want): void {
  const { state } = task;
  switch (state.name) {
    case 'erred':
      context.move(task, RELEASED);
      startFetch(context, task, want);
      return;
    case 'released':
      startFetch(context, task, want);
      return;
    case 'fetch':
      addHolders(context, task, state, usableHolders(context, want));
      raisePriority(context, task, state, want);
      state.asReplica ||= want.asReplica;
      return;
    case 'flight':
      for (const id of usableHolders(context, want)) state.holders.add(id);
      if (comparePriority(want.priority, state.priority) < 0) state.priority = want.priority;
      state.asReplica ||= want.asReplica;
      return;
    case 'waiting':
    case 'ready':
    case 'executing':
    case 'memory':
      return;
  }
}

function startFetch(context: MachineContext, task: WorkerTask, want: Want): void {
  context.move(task, {
    name: 'fetch',
    nbytes: want.dependency.nbytes,
    holders: new Set(usableHolders(context, want)),
    priority: want.priority,
    asReplica: want.asReplica,
  });
}

/** The peers among the holders. This worker itself is none: whoever says so is told that it does not have the value. */
function usableHolders(context: MachineContext, { dependency, isHolderListFresh }: Want): readonly WorkerId[] {
  const ids: WorkerId[] = [];
  for (const holder of dependency.whoHas) {
    if (holder.workerId === context.options.workerId) {
      if (isHolderListFresh) {
        context.send({ type: 'replicas-lost', stimulusId: context.stimulusId, keys: [dependency.key] });
      }
      continue;
    }
    if (isHolderListFresh) context.peers.note(holder);
    if (context.peers.get(holder.workerId) !== undefined) ids.push(holder.workerId);
  }
  return ids;
}

function addHolders(
  context: MachineContext,
  task: WorkerTask,
  state: FetchState,
  ids: readonly WorkerId[],
): void {
  for (const id of ids) {
    if (state.holders.has(id)) continue;
    state.holders.add(id);
    context.peers.want(task, state, id);
  }
  if (state.holders.size > 0) context.whoHas.remove(task);
}

function raisePriority(context: MachineContext, task: WorkerTask, state: FetchState, want: Want): void {
  if (comparePriority(want.priority, state.priority) >= 0) return;
  state.priority = want.priority;
  for (const id of state.holders) context.peers.want(task, state, id);
}

/** The scheduler's newest word on where a key is. */
export function replaceHolders(context: MachineContext, task: WorkerTask, dependency: Dependency): void {
  const { state } = task;
  if (state.name !== 'fetch' && state.name !== 'flight') return;
  const want: Want = { dependency, priority: state.priority, asReplica: false, isHolderListFresh: true };
  const ids = usableHolders(context, want);
  if (state.name === 'flight') {
    state.holders.clear();
    for (const id of ids) state.holders.add(id);
    return;
  }
  for (const id of [...state.holders]) if (!ids.includes(id)) dropHolder(context, task, id);
  addHolders(context, task, state, ids);
  if (state.holders.size === 0) context.whoHas.putOff(task, context.nowMs);
}

/** A task in `fetch` cannot be had from this peer (any more). Without another holder the scheduler is asked. */
export function dropHolder(context: MachineContext, task: WorkerTask, id: WorkerId): void {
  const { state } = task;
  if (state.name !== 'fetch' || !state.holders.delete(id)) return;
  context.peers.get(id)?.wanted.delete(task);
  if (state.holders.size === 0) context.whoHas.add(task);
}

/** Takes a task out of whatever it is in; see `settle` for what becomes of it. */
export function release(context: MachineContext, task: WorkerTask): void {
  if (task.state.name !== 'released') context.move(task, RELEASED);
  settle(context, task);
}

/** What becomes of a released task: fetched when others need it, kept while its attempt lingers, else forgotten. */
export function settle(context: MachineContext, task: WorkerTask): void {
  if (task.state.name !== 'released') return;
  if (isNeeded(task)) {
    let priority: Priority | undefined;
    for (const dependent of task.neededBy ?? []) {
      const { state } = dependent;
      if (state.name !== 'waiting' && state.name !== 'ready') continue;
      if (priority === undefined || comparePriority(state.run.message.priority, priority) < 0) {
        priority = state.run.message.priority;
      }
    }
    const dependency: Dependency = { key: task.key, nbytes: 0, whoHas: [] };
    startFetch(context, task, {
      dependency,
      priority: priority ?? REPLICA_PRIORITY,
      asReplica: false,
      isHolderListFresh: false,
    });
  } else if (task.lingering === undefined) {
    context.forget(task);
  }
}
