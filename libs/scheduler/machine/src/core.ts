/** What all parts of the machine share: its tables, and the event being handled. */
import { asRunId, SeededRandom, type ClientId, type RunId, type StimulusId } from '@spillway/kernel';
import { Agenda } from './agenda.js';
import type { ClientView } from './client-view.js';
import { FunctionTable } from './durations.js';
import { isShared } from './failures.js';
import { JobQueue } from './jobs.js';
import { JournalNotes } from './journal-notes.js';
import { Nannies } from './nannies.js';
import type { ResolvedOptions } from './options.js';
import { Outbox } from './outbox.js';
import { Queues } from './queueing.js';
import type { Recovery, Strays } from './recovery.js';
import { RetiringWorkers } from './retiring-workers.js';
import { ScatterPlanner } from './scatter.js';
import type { SchedulerTask, TaskState } from './task.js';
import { TaskTable } from './task-table.js';
import { UnexplainedDeaths } from './unexplained-deaths.js';
import { WorkerRoster } from './worker-roster.js';

/** A result that is awaited is one until it is given up. */
const hasOutcome = ({ name }: TaskState): boolean =>
  name === 'memory' || name === 'awaited' || name === 'erred';

/** More than one life of a scheduler can assign. */
const RUNS_PER_LIFE = 2 ** 36;

export class Core {
  readonly roster = new WorkerRoster();
  readonly nannies = new Nannies();
  readonly unexplained = new UnexplainedDeaths();
  readonly queues = new Queues();
  readonly functions = new FunctionTable();
  readonly outbox = new Outbox();
  readonly agenda = new Agenda();
  readonly jobs = new JobQueue();
  readonly retiring = new RetiringWorkers();
  readonly clients = new Map<ClientId, ClientView>();
  readonly table: TaskTable;
  readonly scatterPlanner: ScatterPlanner;
  readonly journal: JournalNotes;
  /** While workers of the scheduler's life before are waited for: nothing is placed (`recovery.ts`). */
  recovery: Recovery | undefined = undefined;
  /** Outlives the recovery: clients may take longer to come back than workers. */
  strays: Strays | undefined = undefined;
  /** Clients whose commit has ended, with things said meanwhile that are to be done now. */
  readonly resumed: ClientView[] = [];
  /** Clients without a connection, in the order in which their leases end. */
  readonly leased = new Set<ClientView>();
  /** Tasks whose invariants are checked at the end of the event, with `validate`. */
  readonly touched = new Set<SchedulerTask>();
  nowMs = 0;
  /** Placing and forgetting that this event may still do before the rest is left for later slices. */
  #stepsLeft = 0;
  /** Since when tasks are queued and no worker at all is registered. */
  starvedSinceMs: number | false = false;
  /** Something has changed since no task was found whose end would free memory (`draining.ts`). */
  mayDrain = false;
  /** The task that was last given to a paused worker to free memory; its state says whether it is still at it. */
  draining: SchedulerTask | undefined = undefined;
  /** Paused workers hold up tasks, and it has been told that one after the other is run to free memory. */
  isDrainingTold = false;
  /** Since when nothing can go on because workers are paused (`memory-stuck.ts`). */
  stuckSinceMs: number | false = false;
  /** In this event something happened that may let stuck tasks go on. */
  hasMoved = false;
  #lastRunId = 0;
  #lastSubmission = 0;
  #lastWorkerOrder = 0;

  constructor(readonly options: ResolvedOptions) {
    this.table = new TaskTable(this.roster.loads, options.storyEntriesMax);
    this.journal = new JournalNotes(options.journal);
    this.scatterPlanner = new ScatterPlanner(new SeededRandom(options.seed));
  }

  begin(stimulusId: StimulusId, nowMs: number): void {
    this.nowMs = nowMs;
    this.hasMoved = false;
    this.#stepsLeft = this.options.commitStepsMax;
    this.outbox.begin(stimulusId);
  }

  /** False when this event has done enough. */
  spendStep(): boolean {
    this.#stepsLeft -= 1;
    return this.#stepsLeft >= 0;
  }

  get stimulusId(): StimulusId {
    return this.outbox.stimulusId;
  }

  get lastRunId(): number {
    return this.#lastRunId;
  }

  /** Numbers of the lives before are not given again. */
  goOnFrom({ lastSubmission }: { readonly lastSubmission: number }): void {
    this.#lastSubmission = Math.max(this.#lastSubmission, lastSubmission);
  }

  /** From 1. Runs of a life before that are still under way keep their ids, which no run of this life has. */
  beginLife(life: number): void {
    this.#lastRunId = (life - 1) * RUNS_PER_LIFE;
    this.journal.add({ type: 'scheduler-started', life, lastSubmission: this.#lastSubmission });
  }

  nextRunId(): RunId {
    this.#lastRunId += 1;
    return asRunId(this.#lastRunId);
  }

  nextSubmission(): number {
    this.#lastSubmission += 1;
    return this.#lastSubmission;
  }

  nextWorkerOrder(): number {
    this.#lastWorkerOrder += 1;
    return this.#lastWorkerOrder;
  }

  /** For transitions: the one way to a new state. A worker that has a run less may have room. */
  enter(task: SchedulerTask, to: TaskState): void {
    const from = task.state;
    if (from.name === 'processing') this.agenda.roomy.add(from.worker);
    if (from.name === 'processing' || from.name === 'memory') this.hasMoved = true;
    if (to.name === 'memory') this.retiring.note(task);
    else if (from.name === 'memory') this.retiring.mayBeVoid = true;
    this.mayDrain = true;
    if (hasOutcome(from) && !hasOutcome(to) && to.name !== 'forgotten') this.journal.reset(task.key);
    if (to.name === 'erred' && !isShared(to.error))
      this.journal.ended({ type: 'task-erred', key: task.key, error: to.error });
    this.table.enter(task, to, this.outbox.stimulusId, this.nowMs);
    if (this.options.validate) this.touched.add(task);
  }

  /** Tells the worker that has the run to stop it. The caller moves the task on. */
  stopRun(task: SchedulerTask): void {
    const { state } = task;
    if (state.name !== 'processing') return;
    task.mayHaveRun = true;
    this.outbox.toWorker(state.worker, {
      type: 'cancel-task',
      stimulusId: this.stimulusId,
      key: task.key,
      runId: state.runId,
    });
  }

  /** What a result of the task is expected to take; 0 while nothing is known of its function. */
  expectedBytes(task: SchedulerTask): number {
    return task.learned?.cost.meanOutputBytes ?? 0;
  }

  /** What a run of the task is expected to last. */
  expectedMs(task: SchedulerTask): number {
    return task.learned?.cost.meanMs ?? this.options.unknownDurationMs;
  }
}
