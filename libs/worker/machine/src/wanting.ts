/**
 * Values that are wanted here and not in memory: who has them, how urgent they are, and what to do when nobody has. Which
 * peer is asked for what is chosen in `gathering.ts`.
 */
import type { WorkerId } from '@spillway/kernel';
import type { Dependency, Priority } from '@spillway/messages';
import type { MachineContext } from './context.js';
import { RELEASED, comparePriority, type FetchState, type WorkerTask } from './task.js';

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
      state.nbytes = want.dependency.nbytes;
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

export function startFetch(context: MachineContext, task: WorkerTask, want: Want): void {
  context.move(task, {
    name: 'fetch',
    nbytes: want.dependency.nbytes,
    holders: new Set(usableHolders(context, want)),
    priority: want.priority,
    asReplica: want.asReplica,
  });
}

/** The peers among the holders. This worker itself is none: whoever says so is told that it does not have the value. */
function usableHolders(
  context: MachineContext,
  { dependency, isHolderListFresh }: Want,
): readonly WorkerId[] {
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
  state.nbytes = dependency.nbytes;
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
