/**
 * The scheduler's second life: it knows from its journal what was submitted, wanted and finished, and waits for the workers
 * that it knew to come back before it takes anything for lost or has anything run. What was finished is `awaited` until
 * then; what runs is carried on with where its worker says so.
 */
import type { RunId, TaskKey, WorkerId } from '@spillway/kernel';
import type { JournalRecord, JournalRecordOf, TaskSpec, WorkerHello } from '@spillway/messages';
import { ClientView } from './client-view.js';
import type { Core } from './core.js';
import type { ClientEvent, SchedulerEvent } from './events.js';
import { releaseLost } from './lost-results.js';
import { dropCopy } from './scatter.js';
import { smallAdd } from './small-set.js';
import { isActive, SchedulerTask } from './task.js';
import { holdInputs } from './transitions/effects.js';
import { move } from './transitions/index.js';
import type { WorkerView } from './worker-view.js';

type DataScattered = Extract<ClientEvent, { type: 'data-scattered' }>;

/** A client says that it has put data on workers. */
interface Claim {
  readonly client: ClientView;
  readonly event: DataScattered;
  /** Those that were registered when it said so. What others have they say themselves when they come back. */
  readonly present: Set<WorkerId>;
}

/** Values that nobody here knows: a client that is not back yet may have put them there. */
export interface Strays {
  /** When they are dropped. */
  readonly untilMs: number;
  values: { readonly worker: WorkerView; readonly key: TaskKey }[];
}

/** What is put off while workers come back. */
export class Recovery {
  /** Workers that were there when the scheduler died and are not back, by name. */
  readonly expected = new Map<string, WorkerId[]>();
  /** Tasks that miss nothing: they may be running somewhere. */
  readonly ready = new Set<SchedulerTask>();
  /** Runs that workers went on with meanwhile. */
  readonly runs = new Map<RunId, { readonly worker: WorkerView; readonly task: SchedulerTask }>();
  readonly scattered: Claim[] = [];

  constructor(readonly untilMs: number) {}
}

export function onRecover(core: Core, { records }: Extract<SchedulerEvent, { type: 'recover' }>): void {
  const reader = new JournalReader(core);
  for (const record of records) reader.read(record);
  reader.begin();
}

/**
 * What becomes of the data is decided when all that may have it are back, and what its client says next is done after that.
 * Requires: the event is among those that the client's session keeps.
 */
export function holdUp(core: Core, recovery: Recovery, client: ClientView, event: DataScattered): void {
  const present = event.holders.filter((workerId) => core.roster.get(workerId) !== undefined);
  recovery.scattered.push({ client, event, present: new Set(present) });
  client.isHeldUp = true;
}

/** The client goes on, with its claim as far as it turned out to be true. */
function letGoOn(core: Core, { client, event, present }: Claim): void {
  const hasSaidSo = (workerId: WorkerId): boolean =>
    core.strays?.values.some(({ worker, key }) => worker.id === workerId && key === event.key) === true;
  const index = client.deferred.indexOf(event);
  if (index >= 0)
    client.deferred[index] = {
      ...event,
      holders: event.holders.filter((workerId) => present.has(workerId) || hasSaidSo(workerId)),
    };
  if (!client.isHeldUp) return;
  client.isHeldUp = false;
  if (client.commit === undefined) core.resumed.push(client);
}

/** A worker that was there before, or its successor, is back or will not come. `backAs`: the one that is. */
export function noLongerExpected(core: Core, workerName: string, backAs?: WorkerId): void {
  const lives = core.recovery?.expected.get(workerName) ?? [];
  core.recovery?.expected.delete(workerName);
  // The next life is not to wait for those that did not come back to this one.
  for (const workerId of lives) if (workerId !== backAs) core.journal.add({ type: 'worker-gone', workerId });
}

/** A worker that died while the scheduler was not there, or before it came back. */
export function noteEndOfExpected(
  core: Core,
  { workerId, verdict, leavesValues }: Extract<SchedulerEvent, { type: 'worker-lost' }>,
): void {
  if (core.recovery === undefined) return;
  if (verdict !== undefined && leavesValues !== true) noLongerExpected(core, verdict.workerName);
  else core.journal.add({ type: 'worker-gone', workerId });
}

/** Runs that the worker went on with although nobody was there to tell. Those that nobody needs are stopped. */
export function takeUpRuns(core: Core, worker: WorkerView, { executing = [] }: WorkerHello): void {
  for (const { key, runId } of executing) {
    const task = core.table.get(key);
    if (task !== undefined && core.recovery !== undefined && worker.processing.get(runId) !== task)
      core.recovery.runs.set(runId, { worker, task });
    else if (worker.processing.get(runId) !== task || task === undefined) stop(core, worker, key, runId);
  }
}

/** The task of a run that a worker has gone on with; it is this worker's from now on. */
export function takenUpRun(
  core: Core,
  worker: WorkerView,
  key: TaskKey,
  runId: RunId,
): SchedulerTask | undefined {
  const run = core.recovery?.runs.get(runId);
  if (run?.worker !== worker || run.task.key !== key) return undefined;
  core.recovery?.runs.delete(runId);
  return takeUp(core, run.worker, run.task, runId) ? run.task : undefined;
}

/** Of a worker that is lost: they count as its own, so that it is charged to them. */
export function takeUpRunsOf(core: Core, worker: WorkerView): void {
  for (const [runId, run] of core.recovery?.runs ?? [])
    if (run.worker === worker) takenUpRun(core, worker, run.task.key, runId);
}

/** Ends the waiting when everybody is back, or time is up. */
export function noteRecovered(core: Core): void {
  const { recovery } = core;
  if (recovery === undefined) return;
  if (recovery.expected.size > 0 && core.nowMs < recovery.untilMs) return;
  const missing = [...recovery.expected.keys()];
  for (const name of missing) noLongerExpected(core, name);
  core.recovery = undefined;
  for (const [runId, { worker, task }] of recovery.runs) {
    const mayGoOn = task.spec?.recompute === false || inputsAreThere(task);
    if (!mayGoOn || !takeUp(core, worker, task, runId)) stop(core, worker, task.key, runId);
  }
  for (const claim of recovery.scattered) letGoOn(core, claim);
  const lost = [...core.table.awaited];
  for (const task of lost) core.outbox.toClientsOf(task, { type: 'key-lost', key: task.key });
  core.outbox.log('scheduler.recovery-ended', {
    workers: core.roster.size,
    missing: missing.length,
    lost: lost.length,
  });
  releaseLost(core, { name: missing.join(', ') }, lost);
  for (const task of recovery.ready) core.agenda.add(task);
  for (const worker of core.roster.all()) core.agenda.roomy.add(worker);
}

/** The worker does not have them any more: these, or any that it has not named again. */
export function forgetStrays(core: Core, worker: WorkerView, keys?: readonly TaskKey[]): void {
  const isGone = (key: TaskKey): boolean => keys === undefined || keys.includes(key);
  for (const { event, present } of core.recovery?.scattered ?? [])
    if (isGone(event.key)) present.delete(worker.id);
  const { strays } = core;
  if (strays === undefined) return;
  strays.values = strays.values.filter((stray) => stray.worker.id !== worker.id || !isGone(stray.key));
}

/** What no client has claimed in time is nobody's. Requires: what clients have said until now is done. */
export function dropStrays(core: Core): void {
  const { strays } = core;
  if (strays === undefined || core.nowMs < strays.untilMs || !core.jobs.isEmpty) return;
  core.strays = undefined;
  for (const { worker, key } of strays.values)
    if (core.roster.get(worker.id) === worker) dropCopy(core, worker, key);
}

const inputsAreThere = (task: SchedulerTask): boolean =>
  task.dependencies.every((input) => input.state.name === 'memory');

function takeUp(core: Core, worker: WorkerView, task: SchedulerTask, runId: RunId): boolean {
  const { name } = task.state;
  if (!task.isNeeded || (name !== 'awaited' && !isActive(task)) || name === 'processing') return false;
  move(core, task, {
    name: 'processing',
    worker,
    runId,
    expectedMs: core.expectedMs(task),
    expectedBytes: core.expectedBytes(task),
  });
  if (name === 'awaited') holdInputs(core, task);
  core.agenda.add(task);
  return true;
}

function stop(core: Core, worker: WorkerView, key: TaskKey, runId: RunId): void {
  core.outbox.toWorker(worker, { type: 'cancel-task', stimulusId: core.stimulusId, key, runId });
}

/** Makes the machine's tables of records. Nothing is told to anybody, and nothing moves before all are read. */
class JournalReader {
  readonly #recovery: Recovery;
  #life = 0;
  #taskCount = 0;
  #finishedCount = 0;
  #droppedCount = 0;

  constructor(private readonly core: Core) {
    this.#recovery = new Recovery(core.nowMs + core.options.recoveryWaitMs);
  }

  read(record: JournalRecord): void {
    const { core } = this;
    switch (record.type) {
      case 'scheduler-started':
        this.#life = record.life;
        core.goOnFrom(record);
        return;
      case 'client-came':
        this.#addClient(record);
        return;
      case 'tasks-made':
        for (const { spec, order } of record.tasks) this.#addTask(spec, record.submission, order);
        return;
      case 'data-made':
        this.#add(new SchedulerTask(record.key, undefined, undefined, record.submission, 0));
        return;
      case 'graph-accepted':
        core.clients.get(record.clientId)?.accepted.add(record.submissionId);
        return;
      case 'keys-wanted':
        this.#addWants(record);
        return;
      case 'task-finished':
        this.#finish(record);
        return;
      case 'task-erred':
        this.#err(record);
        return;
      case 'task-history':
        this.#setHistory(record);
        return;
      case 'worker-came':
        this.#expect(record);
        return;
      // Bundles are the runtime's. The rest does not come here: what it undoes is not there any more.
      case 'module-stored':
      case 'module-dropped':
      case 'client-gone':
      case 'keys-unwanted':
      case 'task-reset':
      case 'keys-forgotten':
      case 'worker-gone':
        return;
    }
  }

  begin(): void {
    const { core } = this;
    for (const task of core.table.all()) core.agenda.add(task);
    core.beginLife(this.#life + 1);
    if (this.#life === 0) return;
    core.recovery = this.#recovery;
    core.strays = { untilMs: this.#recovery.untilMs, values: [] };
    core.outbox.log('scheduler.recovered', {
      life: this.#life + 1,
      clients: core.clients.size,
      tasks: this.#taskCount,
      finished: this.#finishedCount,
      dropped: this.#droppedCount,
      workers: this.#recovery.expected.size,
      waitMs: this.#recovery.expected.size > 0 ? core.options.recoveryWaitMs : 0,
    });
  }

  #expect({ workerId, name }: JournalRecordOf<'worker-came'>): void {
    const { expected } = this.#recovery;
    expected.set(name, [...(expected.get(name) ?? []), workerId]);
  }

  #addClient({ clientId }: JournalRecordOf<'client-came'>): void {
    const client = new ClientView(clientId);
    client.leaseEndsAtMs = this.core.nowMs + this.core.options.clientLeaseMs;
    this.core.clients.set(clientId, client);
    this.core.leased.add(client);
  }

  #addTask(spec: TaskSpec, submission: number, order: number): void {
    const { core } = this;
    const dependencies: SchedulerTask[] = [];
    for (const key of spec.dependencies) {
      const dependency = core.table.get(key);
      if (dependency !== undefined) dependencies.push(dependency);
    }
    // The end of the journal was cut off in between: its client will submit it again.
    if (dependencies.length < spec.dependencies.length) {
      this.#droppedCount += 1;
      return;
    }
    const learned = core.functions.acquire(spec.function);
    const task = new SchedulerTask(spec.key, { ...spec, function: learned.ref }, learned, submission, order);
    task.dependencies = dependencies;
    for (const dependency of dependencies) dependency.dependents = smallAdd(dependency.dependents, task);
    this.#add(task);
  }

  #add(task: SchedulerTask): void {
    this.core.table.add(task);
    this.#taskCount += 1;
  }

  #addWants({ clientId, keys }: JournalRecordOf<'keys-wanted'>): void {
    const client = this.core.clients.get(clientId);
    if (client === undefined) return;
    for (const key of keys) {
      const task = this.core.table.get(key);
      if (task === undefined) continue;
      client.wants.add(task);
      task.wantedBy = smallAdd(task.wantedBy, client);
    }
  }

  #finish({ key, workers }: JournalRecordOf<'task-finished'>): void {
    const task = this.core.table.get(key);
    if (task === undefined) return;
    task.mayHaveRun = true;
    this.#await(task, workers[0] ?? '');
    this.#finishedCount += 1;
  }

  #await(task: SchedulerTask, workerName: string): void {
    this.core.enter(task, { name: 'awaited', workerName, untilMs: this.#recovery.untilMs });
  }

  #err({ key, error }: JournalRecordOf<'task-erred'>): void {
    const task = this.core.table.get(key);
    if (task !== undefined) this.core.enter(task, { name: 'erred', error, dependentsError: undefined });
  }

  #setHistory({ key, attempt, retriesLeft, deaths, mayHaveRun }: JournalRecordOf<'task-history'>): void {
    const task = this.core.table.get(key);
    if (task === undefined) return;
    task.attempt = attempt;
    task.retriesLeft = retriesLeft;
    task.deaths = deaths.length === 0 ? undefined : deaths.map((death) => ({ ...death, executing: [] }));
    task.mayHaveRun = mayHaveRun;
    // It may be running still: until its worker is back nobody knows.
    if (task.spec?.recompute === false && mayHaveRun) this.#await(task, '');
  }
}
