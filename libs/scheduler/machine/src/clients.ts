/**
 * Client sessions: what clients say, and their leases. While a graph of a client is being committed in slices, what it says
 * next waits and is done in order afterwards: a client sees one thing after another, however large its graphs are.
 */
import { assertNever } from '@spillway/kernel';
import { ClientView } from './client-view.js';
import type { Core } from './core.js';
import type { ClientEvent } from './events.js';
import type { Job } from './jobs.js';
import { holdUp } from './recovery.js';
import { dropOrphans, onDataScattered } from './scatter.js';
import type { SchedulerTask } from './task.js';
import type { SpokenEvent } from './spoken-event.js';
import { onGraphCommit, onGraphPart } from './submissions.js';
import { cancelKeys, retryKeys, unknownKey } from './user-commands.js';
import { addWant, dropWant, tellOutcome } from './wants.js';

export function onClientEvent(core: Core, event: ClientEvent): void {
  if (event.type === 'client-connected') {
    connect(core, event);
    return;
  }
  const client = core.clients.get(event.clientId);
  // Said before its lease ended, and arrived after.
  if (client === undefined) {
    if (event.type === 'data-scattered') dropOrphans(core, event);
    return;
  }
  switch (event.type) {
    case 'client-disconnected':
      startLease(core, client);
      return;
    case 'client-closing':
      forgetClient(core, client);
      return;
    case 'graph-part':
      onGraphPart(core, client, event);
      return;
    default:
      if (client.commit === undefined && !client.isHeldUp) act(core, client, event);
      else defer(core, client, event);
  }
}

function defer(core: Core, client: ClientView, event: SpokenEvent): void {
  client.deferred.push(event);
  if (event.type === 'data-scattered' && core.recovery !== undefined)
    holdUp(core, core.recovery, client, event);
}

/** Does what the client said while its graph was being committed, up to its next graph that takes more than a slice. */
export function replayDeferred(core: Core, client: ClientView): void {
  let next = client.deferred.shift();
  while (next !== undefined) {
    core.outbox.begin(next.stimulusId);
    act(core, client, next);
    if (client.commit !== undefined || client.isHeldUp) return;
    next = client.deferred.shift();
  }
}

/** Releases everything the client holds, and its session. */
export function forgetClient(core: Core, client: ClientView): void {
  core.clients.delete(client.id);
  core.journal.add({ type: 'client-gone', clientId: client.id });
  core.leased.delete(client);
  client.commit?.abandon();
  for (const event of client.deferred.splice(0)) {
    if (event.type === 'data-scattered') dropOrphans(core, event);
  }
  client.staged.clear();
  core.outbox.log('client.forgotten', { clientId: client.id, wants: client.wants.size });
  // Before the releasing, which may take several slices: a client of the same id that comes meanwhile is another one.
  core.outbox.add({ type: 'forget-client', stimulusId: core.stimulusId, clientId: client.id });
  core.jobs.start(core, new ReleaseEverything(client));
}

class ReleaseEverything implements Job {
  constructor(private readonly client: ClientView) {}

  work(core: Core, stepsMax: number): boolean {
    let stepsLeft = stepsMax;
    for (const task of this.client.wants) {
      if (stepsLeft <= 0) return false;
      stepsLeft -= 1;
      dropWant(core, this.client, task);
    }
    return true;
  }
}

function connect(core: Core, event: Extract<ClientEvent, { type: 'client-connected' }>): void {
  const known = core.clients.get(event.clientId);
  core.outbox.log('client.connected', { clientId: event.clientId, isBack: known !== undefined });
  if (known === undefined) {
    core.clients.set(event.clientId, new ClientView(event.clientId));
    core.journal.add({ type: 'client-came', clientId: event.clientId });
    return;
  }
  known.leaseEndsAtMs = false;
  core.leased.delete(known);
  if (event.isBack === true) {
    // What it had said in parts, and not to the end, it says again.
    known.staged.clear();
    known.stagedTaskCount = 0;
    known.resuming = undefined;
    return;
  }
  // It may have missed the news of its keys.
  for (const task of known.wants) tellOutcome(core, known, task);
}

/** It is back after the scheduler died, and says what it wants: what it let go of at the time was perhaps not heard. */
function resume(
  core: Core,
  client: ClientView,
  event: Extract<SpokenEvent, { type: 'client-resumes' }>,
): void {
  const resuming = (client.resuming ??= new Set());
  for (const key of event.keys) {
    const task = core.table.get(key);
    resuming.add(key);
    if (task === undefined) unknownKey(core, client, key);
    else {
      if (!client.wants.has(task)) addWant(core, client, task);
      tellWhereItStands(core, client, task);
    }
  }
  if (!event.isLast) return;
  client.resuming = undefined;
  for (const task of [...client.wants]) if (!resuming.has(task.key)) dropWant(core, client, task);
}

/** Also that it has not ended: the client may have heard otherwise, and missed what undid it. */
function tellWhereItStands(core: Core, client: ClientView, task: SchedulerTask): void {
  const { name } = task.state;
  if (name === 'memory' || name === 'erred') tellOutcome(core, client, task);
  else if (name !== 'awaited') core.outbox.toClient(client.id, { type: 'key-retried', key: task.key });
}

function startLease(core: Core, client: ClientView): void {
  if (client.leaseEndsAtMs !== false) return;
  client.leaseEndsAtMs = core.nowMs + core.options.clientLeaseMs;
  core.leased.add(client);
  core.outbox.log('client.lease-started', { clientId: client.id, leaseMs: core.options.clientLeaseMs });
}

function act(core: Core, client: ClientView, spoken: SpokenEvent): void {
  switch (spoken.type) {
    case 'graph-commit':
      onGraphCommit(core, client, spoken);
      return;
    case 'client-desires-keys':
      for (const key of spoken.keys) {
        const task = core.table.get(key);
        if (task === undefined) unknownKey(core, client, key);
        else addWant(core, client, task);
      }
      return;
    case 'client-resumes':
      resume(core, client, spoken);
      return;
    case 'client-releases-keys':
      for (const key of spoken.keys) {
        const task = core.table.get(key);
        if (task !== undefined) dropWant(core, client, task);
      }
      return;
    case 'cancel-keys':
      cancelKeys(core, client, spoken.keys, spoken.force);
      return;
    case 'retry-keys':
      retryKeys(core, spoken.keys);
      return;
    case 'data-scattered':
      if (core.recovery === undefined) onDataScattered(core, client, spoken);
      else {
        client.deferred.unshift(spoken);
        holdUp(core, core.recovery, client, spoken);
      }
      return;
    default:
      assertNever(spoken, 'client event');
  }
}
