/**
 * Values that come from peers: who is asked for what, what follows from each outcome of a gather, and what the scheduler
 * says about holders. Values that arrive for keys that are not awaited from that peer any more are freed.
 */
import type { TaskKey, WorkerId } from '@spillway/kernel';
import type { Holding } from '@spillway/messages';
import type { MachineContext } from './context.js';
import type { WorkerEvent, WorkerOutcome } from './events.js';
import { choosePeer, takeWanted } from './gathering.js';
import type { Flight, Peer } from './peers.js';
import { REPLICA_PRIORITY, type WorkerTask } from './task.js';
import { dropHolder, replaceHolders, wantValue } from './wanting.js';

type GatherOutcome = Extract<
  WorkerOutcome,
  { type: 'gather-success' | 'gather-busy' | 'gather-network-failure' }
>;

/** Starts as many gathers as may start now. Cheap when nothing has changed since the last look. */
export function startGathers(context: MachineContext): void {
  const { peers, options, transferBytesMax } = context;
  const { gatherMessageBytesMax } = options;
  peers.endRests(context.nowMs);
  if (!peers.mayGather) return;
  peers.mayGather = false;
  while (peers.flightCount < options.gatherPeersMax) {
    const offer = choosePeer(peers.offers(), context.random);
    const peer = offer === undefined ? undefined : peers.get(offer.peerId);
    if (peer === undefined) return;
    const wanted = takeWanted(peer, { transferBytesMax, gatherMessageBytesMax }, peers.inFlightBytes);
    // The most urgent key does not fit: everything waits until a flight has ended, so that its turn comes.
    if (wanted.length === 0) return;
    startFlight(
      context,
      peer,
      wanted.map(({ task }) => task),
    );
  }
}

/** More may fit now. What is under way stays, and nothing is added to it until it fits. */
export function onLimitChanged(
  context: MachineContext,
  { transferBytesMax }: Extract<WorkerEvent, { type: 'limit-changed' }>,
): void {
  context.transferBytesMax = transferBytesMax;
  context.admittedBytes = context.peers.inFlightBytes;
  context.peers.mayGather = true;
}

function startFlight(context: MachineContext, peer: Peer, tasks: readonly WorkerTask[]): void {
  const keys: { key: TaskKey; nbytes: number }[] = [];
  let bytes = 0;
  for (const task of tasks) {
    const { state } = task;
    if (state.name !== 'fetch') continue;
    const { nbytes, holders, priority, asReplica } = state;
    context.move(task, { name: 'flight', nbytes, from: peer.id, holders, priority, asReplica });
    keys.push({ key: task.key, nbytes });
    bytes += nbytes;
  }
  context.admittedBytes = 0;
  context.peers.startFlight({ peerId: peer.id, bytes, tasks });
  context.instructions.push({
    type: 'gather-dependencies',
    stimulusId: context.stimulusId,
    peerId: peer.id,
    address: peer.address,
    keys,
  });
}

export function onGatherOutcome(context: MachineContext, outcome: GatherOutcome): void {
  const { peerId } = outcome;
  if (outcome.type !== 'gather-busy') takeArrived(context, peerId, outcome.arrived);
  const flight = context.peers.endFlight(peerId);
  const left = flight === undefined ? [] : stillAwaited(flight);
  const peer = context.peers.get(peerId);
  if (peer !== undefined)
    peer.failureCount = outcome.type === 'gather-network-failure' ? peer.failureCount + 1 : 0;
  switch (outcome.type) {
    case 'gather-busy':
      context.peers.rest(peerId, context.nowMs + context.options.busyRestMs);
      for (const task of left) fetchAgain(context, task);
      return;
    case 'gather-success':
      // What is in neither list is missing too: every key that was asked for has an outcome.
      for (const task of left) loseHolder(context, task, peerId);
      return;
    case 'gather-network-failure':
      onUnreachable(context, peerId, left);
      return;
  }
}

/** The scheduler says when a peer is gone; until it does, the peer is tried again, and other holders meanwhile. */
function onUnreachable(context: MachineContext, peerId: WorkerId, left: readonly WorkerTask[]): void {
  const { busyRestMs, peerFailuresMax } = context.options;
  const failureCount = context.peers.get(peerId)?.failureCount ?? 0;
  if (failureCount <= peerFailuresMax) {
    context.peers.rest(peerId, context.nowMs + busyRestMs * 2 ** failureCount);
    for (const task of left) fetchAgain(context, task);
    return;
  }
  for (const task of left) loseHolder(context, task, peerId);
  dropPeer(context, peerId);
}

function stillAwaited({ tasks, peerId }: Flight): WorkerTask[] {
  return tasks.filter(({ state }) => state.name === 'flight' && state.from === peerId);
}

function takeArrived(context: MachineContext, peerId: WorkerId, arrived: readonly Holding[]): void {
  const replicas: Holding[] = [];
  for (const { key, nbytes } of arrived) {
    const task = context.tasks.get(key);
    if (task?.state.name === 'flight' && task.state.from === peerId) {
      context.move(task, { name: 'memory', nbytes });
      replicas.push({ key, nbytes });
    } else if (task?.state.name !== 'memory') {
      context.free(key);
    }
  }
  announce(context, replicas);
}

function announce(context: MachineContext, replicas: readonly Holding[]): void {
  if (replicas.length === 0) return;
  context.send({ type: 'replicas-added', stimulusId: context.stimulusId, replicas });
}

/** Values that were put here a while ago: the scheduler knows them by now, or nobody wants them and it has them freed. */
export function announcePuts(context: MachineContext): void {
  const due: Holding[] = [];
  for (const key of context.puts.takeDue(context.nowMs)) {
    const state = context.tasks.get(key)?.state;
    if (state?.name === 'memory') due.push({ key, nbytes: state.nbytes });
  }
  announce(context, due);
}

/** Back to `fetch`, from whoever else has it; peers that were lost meanwhile are no holders any more. */
function fetchAgain(context: MachineContext, task: WorkerTask): void {
  const { state } = task;
  if (state.name !== 'flight') return;
  const { nbytes, priority, asReplica } = state;
  const holders = new Set([...state.holders].filter((id) => context.peers.get(id) !== undefined));
  context.move(task, { name: 'fetch', nbytes, holders, priority, asReplica });
}

function loseHolder(context: MachineContext, task: WorkerTask, holderId: WorkerId): void {
  // The scheduler has said itself that a lost peer is gone.
  if (context.peers.get(holderId) !== undefined) {
    context.send({ type: 'replica-missing', stimulusId: context.stimulusId, key: task.key, holderId });
  }
  if (task.state.name === 'flight') task.state.holders.delete(holderId);
  fetchAgain(context, task);
}

function dropPeer(context: MachineContext, peerId: WorkerId): void {
  const peer = context.peers.remove(peerId);
  if (peer === undefined) return;
  for (const task of [...peer.wanted]) dropHolder(context, task, peerId);
}

export function onPeerLost(
  context: MachineContext,
  event: Extract<WorkerEvent, { type: 'peer-lost' }>,
): void {
  dropPeer(context, event.workerId);
  context.instructions.push({ type: 'forget-peer', stimulusId: context.stimulusId, peerId: event.workerId });
}

export function onAcquireReplicas(
  context: MachineContext,
  event: Extract<WorkerEvent, { type: 'acquire-replicas' }>,
): void {
  const here: Holding[] = [];
  for (const dependency of event.replicas) {
    const task = context.tasks.obtain(dependency.key);
    if (task.state.name === 'memory') {
      here.push({ key: task.key, nbytes: task.state.nbytes });
      continue;
    }
    wantValue(context, task, {
      dependency,
      priority: REPLICA_PRIORITY,
      asReplica: true,
      isHolderListFresh: true,
    });
  }
  announce(context, here);
}

export function onRefreshWhoHas(
  context: MachineContext,
  event: Extract<WorkerEvent, { type: 'refresh-who-has' }>,
): void {
  for (const dependency of event.dependencies) {
    const task = context.tasks.get(dependency.key);
    if (task !== undefined) replaceHolders(context, task, dependency);
  }
}

/** Asks where the keys without a holder are, and asks again while there is none. */
export function askWhoHas(context: MachineContext): void {
  if (context.whoHas.size === 0) return;
  const keys = context.whoHas.takeDue(context.nowMs).map(({ key }) => key);
  if (keys.length === 0) return;
  context.send({ type: 'request-who-has', stimulusId: context.stimulusId, keys });
}
