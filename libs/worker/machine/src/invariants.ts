/**
 * What the machine promises of its own tables. `checkTask` is cheap (each moved task after each event, with `validate`);
 * `checkAll` looks at everything (the end of every test). Both give the first thing that does not hold.
 */
import type { TaskKey } from '@spillway/kernel';
import type { MachineContext } from './context.js';
import { attemptOf, isNeeded, runOf, type Run, type WorkerTask } from './task.js';

export interface Broken {
  readonly message: string;
  readonly key?: TaskKey;
}

export function checkTask(context: MachineContext, task: WorkerTask): Broken | undefined {
  const message = brokenState(context, task) ?? brokenRelations(context, task);
  return message === undefined ? undefined : { message: `Task ${task.key}: ${message}`, key: task.key };
}

function brokenState(context: MachineContext, task: WorkerTask): string | undefined {
  const { state, lingering } = task;
  const isWanted = isNeeded(task) || ('asReplica' in state && state.asReplica);
  switch (state.name) {
    case 'released':
      return lingering === undefined || isWanted
        ? 'is released but not waiting for an attempt to end'
        : undefined;
    case 'waiting': {
      const count = missingInputs(context, state.run).length;
      return count === 0 || count !== state.missingCount
        ? `waits for ${state.missingCount} inputs, but ${count} are missing`
        : undefined;
    }
    case 'ready':
      return missingInputs(context, state.run).length > 0 ? 'is ready without all its inputs' : undefined;
    case 'fetch': {
      if (!isWanted) return 'is to be fetched for nobody';
      if (context.whoHas.has(task) !== (state.holders.size === 0))
        return 'has holders and is asked about, or has none and is not';
      const isListed = [...state.holders].every((id) => context.peers.get(id)?.wanted.has(task));
      return isListed ? undefined : 'is not among the wanted keys of a holder';
    }
    case 'flight': {
      if (!isWanted) return 'is under way for nobody';
      const flight = [...context.peers.flights()].find(({ peerId }) => peerId === state.from);
      return flight?.tasks.includes(task) === true ? undefined : `is not in a flight from ${state.from}`;
    }
    case 'executing':
      return lingering === undefined ? undefined : 'executes while an older attempt lingers';
    case 'erred':
      return isWanted ? 'is erred and needed, but not fetched' : undefined;
    case 'memory':
      return undefined;
  }
}

function brokenRelations(context: MachineContext, task: WorkerTask): string | undefined {
  const attempt = attemptOf(task);
  if (attempt !== undefined) {
    const count = context.slots.all[attempt.slot]?.attempts.filter((held) => held === attempt).length;
    if (count !== 1) return `has an attempt that is ${String(count)} times in slot ${attempt.slot}`;
  }
  if (task.lingering !== undefined && task.lingering.stopping === undefined)
    return 'has a lingering attempt that was not told to stop';
  for (const dependent of task.neededBy ?? []) {
    const run = dependent.state.name === 'executing' ? undefined : runOf(dependent);
    if (run?.message.dependencies.some(({ key }) => key === task.key) !== true)
      return `is needed by ${dependent.key}, which does not wait for it`;
  }
  const run = task.state.name === 'executing' ? undefined : runOf(task);
  for (const { key } of run?.message.dependencies ?? []) {
    if (key !== task.key && context.tasks.get(key)?.neededBy?.has(task) !== true)
      return `takes ${key}, which does not know`;
  }
  return undefined;
}

function missingInputs(context: MachineContext, run: Run): TaskKey[] {
  const keys = new Set(run.message.dependencies.map(({ key }) => key));
  keys.delete(run.task.key);
  return [...keys].filter((key) => context.tasks.get(key)?.state.name !== 'memory');
}

export function checkAll(context: MachineContext): Broken | undefined {
  for (const task of context.tasks.all()) {
    if (!context.tasks.in(task.state.name).has(task))
      return { message: `Task ${task.key} is not among those in ${task.state.name}`, key: task.key };
    const broken = checkTask(context, task);
    if (broken !== undefined) return broken;
  }
  const message =
    brokenSlots(context) ?? brokenPeers(context) ?? brokenTransfers(context) ?? brokenPuts(context);
  return message === undefined ? undefined : { message };
}

function brokenSlots({ slots, options }: MachineContext): string | undefined {
  let expectedBytes = 0;
  for (const slot of slots.all) {
    let expectedMs = 0;
    for (const attempt of slot.attempts) {
      if (attemptOf(attempt.run.task) !== attempt)
        return `Slot ${slot.index} has an attempt of ${attempt.run.task.key} that its task does not know`;
      expectedMs += attempt.run.message.expectedMs ?? 0;
      expectedBytes += attempt.run.message.expectedBytes ?? 0;
    }
    if (slot.attempts.length > 0 && slot.head?.headSinceMs === undefined)
      return `The head of slot ${slot.index} has no start`;
    if (slot.attempts.length > Math.max(1, options.handOverCountMax))
      return `Slot ${slot.index} has too many tasks`;
    const unknownCount = slot.attempts.filter(({ run }) => run.message.expectedMs === undefined).length;
    const stoppingCount = slot.attempts.filter(({ stopping }) => stopping !== undefined).length;
    if (stoppingCount !== slot.stoppingCount) return `Slot ${slot.index} has lost count of what it stops`;
    if (unknownCount !== slot.unknownCount || Math.abs(expectedMs - slot.expectedMs) > 1e-6)
      return `Slot ${slot.index} has lost count of its work`;
  }
  if (expectedBytes !== slots.expectedBytes) return 'The slots have lost count of what they will return';
  return undefined;
}

function brokenPeers({ peers, whoHas }: MachineContext): string | undefined {
  for (const peer of peers.all()) {
    for (const { key, state } of peer.wanted) {
      if (state.name !== 'fetch' || !state.holders.has(peer.id))
        return `Peer ${peer.id} has ${key} among the wanted keys, which is not to be fetched from it`;
    }
  }
  for (const { key, state } of whoHas.all()) {
    if (state.name !== 'fetch' || state.holders.size > 0)
      return `The scheduler is asked about ${key} for nothing`;
  }
  return undefined;
}

function brokenPuts({ puts, tasks }: MachineContext): string | undefined {
  for (const key of puts.keys())
    if (tasks.get(key)?.state.name !== 'memory') return `${key} is to be announced and is not in memory`;
  return undefined;
}

function brokenTransfers(context: MachineContext): string | undefined {
  const { peers, options, freedKeys, transferBytesMax, admittedBytes } = context;
  const flights = [...peers.flights()];
  const bytes = flights.reduce((sum, flight) => sum + flight.bytes, 0);
  if (bytes !== peers.inFlightBytes) return `In flight are ${bytes} bytes, not ${peers.inFlightBytes}`;
  if (flights.length > options.gatherPeersMax) return `${flights.length} peers are asked at the same time`;
  const isOneKey = flights.filter((flight) => flight.bytes > 0).length === 1;
  if (transferBytesMax !== false && bytes > Math.max(transferBytesMax, admittedBytes) && !isOneKey)
    return `In flight are ${bytes} bytes, which is too much`;
  return freedKeys.length === 0 ? undefined : 'Freed keys were not reported';
}
