/**
 * The scheduler's state machine: owns the graph, who holds what, placement and recovery. Synchronous and deterministic;
 * the event brings the time and the instructions say everything it wants done. Each event is taken apart in the file named
 * after its subject, what follows for tasks is decided in `settling.ts`, and the moves themselves are in `transitions/`.
 * Liveness of connections, storing modules and carrying values are not here but in the runtime.
 */
import { assertNever, type ClientId, type StoryEntry, type TaskKey, type WorkerId } from '@spillway/kernel';
import type { Holder, Holding, KeyInfo, RetirementReport, WorkerInfo } from '@spillway/messages';
import { onClientEvent, replayDeferred } from './clients.js';
import { Core } from './core.js';
import { workOnRetirements } from './copying.js';
import { nextWakeMs, noteStarvation, onDeadlines } from './deadlines.js';
import { drain } from './draining.js';
import type { NannyEvent, SchedulerEvent, WorkerEvent } from './events.js';
import type { SchedulerInstruction } from './instructions.js';
import { checkAll, checkTouched } from './invariants.js';
import { loseWorker, onReplicaMissing, onReplicasLost, refreshWhoHas } from './losses.js';
import { noteMemoryStuck } from './memory-stuck.js';
import { resolveOptions, type SchedulerMachineOptions } from './options.js';
import { describeKey, listHoldings } from './queries.js';
import { dropStrays, noteEndOfExpected, noteRecovered, onRecover } from './recovery.js';
import { addReplicas, onWorkerRegistered, onWorkerStatusChange } from './registration.js';
import { onRequestRetirement, onRetireWorkers } from './retirement.js';
import { progressOf } from './retirement-report.js';
import { onHeartbeat, onTaskErred, onTaskFinished, onTaskHandedBack } from './runs.js';
import { settleAll } from './settling.js';
import type { StateName } from './task.js';

export class SchedulerMachine {
  readonly #core: Core;

  constructor(options: SchedulerMachineOptions = {}) {
    this.#core = new Core(resolveOptions(options));
  }

  /** Runs to completion: no event is half done when this returns. */
  handle(event: SchedulerEvent, nowMs: number): SchedulerInstruction[] {
    const core = this.#core;
    core.begin(event.stimulusId, nowMs);
    this.#dispatch(event);
    noteRecovered(core);
    settleAll(core);
    for (let client = core.resumed.shift(); client !== undefined; client = core.resumed.shift()) {
      replayDeferred(core, client);
      settleAll(core);
    }
    dropStrays(core);
    workOnRetirements(core);
    drain(core);
    noteStarvation(core);
    noteMemoryStuck(core);
    const idleModules = core.functions.takeIdleModules();
    if (idleModules.length > 0) {
      core.outbox.add({ type: 'forget-modules', stimulusId: core.stimulusId, moduleHashes: idleModules });
    }
    if (core.options.validate) checkTouched(core);
    const instructions = core.outbox.take();
    const records = core.journal.take();
    if (records.length > 0) instructions.unshift({ type: 'journal', records });
    return instructions;
  }

  /** When a `tick` is wanted at the latest; `undefined` for never. In the past or now: at once. */
  get nextWakeMs(): number | undefined {
    return nextWakeMs(this.#core);
  }

  stateOf(key: TaskKey): StateName {
    return this.#core.table.get(key)?.state.name ?? 'forgotten';
  }

  /** Unknown keys are `forgotten`, without holders. */
  describe(key: TaskKey): KeyInfo {
    return describeKey(this.#core, key);
  }

  /** In order of registration. */
  listWorkers(): WorkerInfo[] {
    return [...this.#core.roster.all()].map((worker) => worker.info());
  }

  /** How far a worker that retires has come; `undefined` for one that does not, or not any more. */
  retirementOf(workerId: WorkerId, nowMs: number): RetirementReport | undefined {
    const worker = this.#core.roster.get(workerId);
    const retirement = worker === undefined ? undefined : this.#core.retiring.get(worker);
    return retirement === undefined ? undefined : progressOf(this.#core, retirement, nowMs);
  }

  /** `undefined` for a worker that is not registered. */
  hasWhat(workerId: WorkerId): Holding[] | undefined {
    const worker = this.#core.roster.get(workerId);
    return worker === undefined ? undefined : listHoldings(worker);
  }

  /** The moves of a task that are still remembered, oldest first. */
  storyOf(key: TaskKey): StoryEntry[] {
    return this.#core.table.story.of(key);
  }

  /** The last moves of all tasks, oldest first. */
  recentMoves(): StoryEntry[] {
    return this.#core.table.story.all();
  }

  /** How many tasks are in each state; `forgotten`: how many have been forgotten so far. */
  get countsByState(): Readonly<Record<StateName, number>> {
    return { ...this.#core.table.counts };
  }

  knowsClient(clientId: ClientId): boolean {
    return this.#core.clients.has(clientId);
  }

  /** The keys the client holds futures for; `undefined` for a client without a session. */
  wantsOf(clientId: ClientId): TaskKey[] | undefined {
    const client = this.#core.clients.get(clientId);
    return client === undefined ? undefined : [...client.wants].map((task) => task.key);
  }

  knowsWorker(workerId: WorkerId): boolean {
    return this.#core.roster.get(workerId) !== undefined;
  }

  /** The registered worker of this name or id. */
  findWorker(nameOrId: string): WorkerInfo | undefined {
    return this.#core.roster.find(nameOrId)?.info();
  }

  /**
   * Where to put data of so many bytes: running workers (of those named, or of all) with most memory headroom, then fewest
   * keys. Throws `NoValidWorkerError` when there is none.
   */
  planScatter(nbytes: number, copies: number, workers: readonly string[]): readonly Holder[] {
    return this.#core.scatterPlanner.plan(this.#core.roster, nbytes, copies, workers);
  }

  /** For tests: throws `InvariantError` when anything in the machine contradicts itself. Looks at everything. */
  checkAll(): void {
    checkAll(this.#core);
  }

  #dispatch(event: SchedulerEvent): void {
    const core = this.#core;
    switch (event.type) {
      case 'client-connected':
      case 'client-disconnected':
      case 'client-closing':
      case 'graph-part':
      case 'graph-commit':
      case 'client-desires-keys':
      case 'client-resumes':
      case 'client-releases-keys':
      case 'cancel-keys':
      case 'retry-keys':
      case 'data-scattered':
        onClientEvent(core, event);
        return;
      case 'recover':
        onRecover(core, event);
        return;
      case 'worker-registered':
        onWorkerRegistered(core, event.hello);
        return;
      case 'retire-workers':
        onRetireWorkers(core, event);
        return;
      case 'nanny-registered': {
        const { nannyId: id, name, address } = event.hello;
        core.nannies.add({ id, name, address });
        return;
      }
      case 'nanny-disconnected':
      case 'nanny-resumed':
        core.nannies.setConnected(event.nannyId, event.type === 'nanny-resumed');
        return;
      case 'nanny-lost':
        core.nannies.remove(event.nannyId);
        return;
      case 'tick':
        onDeadlines(core);
        core.jobs.workOn(core);
        return;
      default:
        this.#dispatchWorkerEvent(event);
        return;
    }
  }

  #dispatchWorkerEvent(event: Exclude<WorkerEvent, NannyEvent | { type: 'worker-registered' }>): void {
    const core = this.#core;
    // Also of one that is not registered: its hello may come later than the news of its death.
    if (event.type === 'worker-lost' && event.verdict !== undefined) {
      core.roster.markEnded(event.workerId);
      core.unexplained.explain(event.workerId, event.verdict);
    }
    const worker = core.roster.get(event.workerId);
    // Of a worker that is not registered (any more): nothing it says counts.
    if (worker === undefined) {
      if (event.type === 'worker-lost') noteEndOfExpected(core, event);
      return;
    }
    switch (event.type) {
      case 'worker-lost':
        loseWorker(core, worker, event);
        return;
      case 'task-finished':
        onTaskFinished(core, worker, event);
        return;
      case 'task-erred':
        onTaskErred(core, worker, event);
        return;
      case 'task-handed-back':
        onTaskHandedBack(core, worker, event);
        return;
      case 'replicas-added':
        addReplicas(core, worker, event.replicas);
        return;
      case 'replica-missing':
        onReplicaMissing(core, worker, event);
        return;
      case 'replicas-lost':
        onReplicasLost(core, worker, event);
        return;
      case 'request-who-has':
        refreshWhoHas(core, worker, event.keys);
        return;
      case 'worker-status-change':
        onWorkerStatusChange(core, worker, event.status);
        return;
      case 'heartbeat':
        onHeartbeat(core, worker, event);
        return;
      case 'request-retirement':
        onRequestRetirement(core, worker, event);
        return;
      default:
        assertNever(event, 'worker event');
    }
  }
}
