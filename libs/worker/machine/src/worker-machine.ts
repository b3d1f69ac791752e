/**
 * The worker's deterministic task machine: events in, instructions out. Covers which task is where, what is fetched from
 * whom, what runs in which slot, and what the scheduler is told. Not: values (store), memory pressure (worker/memory),
 * clocks, sockets and threads (runtime). Events are dispatched here; each family has a file of its own.
 */
import { InvariantError, formatStory, type RunId, type StoryEntry, type TaskKey } from '@spillway/kernel';
import type { Holding, WorkerStatus } from '@spillway/messages';
import {
  onCancelTask,
  onComputeTask,
  onDataPut,
  onFreeKeys,
  onValuesAdopted,
  onValuesLost,
} from './assignments.js';
import { MachineContext } from './context.js';
import type { WorkerEvent } from './events.js';
import { onExecuteOutcome, onRunawayGrowth, startReadyTasks, stopOverdue } from './executions.js';
import type { WorkerInstruction } from './instructions.js';
import {
  onHandBackUnstarted,
  onRetireWorker,
  onSessionBegun,
  onSessionLost,
  onSetAdmission,
  onSetRoom,
  onSlotStuck,
  onStatusChange,
  returnUnstarted,
} from './interruptions.js';
import { checkAll, checkTask, type Broken } from './invariants.js';
import type { WorkerMachineOptions } from './options.js';
import {
  announcePuts,
  askWhoHas,
  onAcquireReplicas,
  onGatherOutcome,
  onLimitChanged,
  onPeerLost,
  onRefreshWhoHas,
  startGathers,
} from './replicas.js';
import { TASK_STATE_NAMES, runIdOf, type TaskStateName } from './task.js';

type Handler<Type extends WorkerEvent['type']> = (
  context: MachineContext,
  event: Extract<WorkerEvent, { type: Type }>,
) => void;
/** A handler that was looked up by its event's type. */
type AnyHandler = (context: MachineContext, event: WorkerEvent) => void;

const HANDLERS: { readonly [Type in WorkerEvent['type']]: Handler<Type> } = {
  'compute-task': onComputeTask,
  'cancel-task': onCancelTask,
  'free-keys': onFreeKeys,
  'data-put': onDataPut,
  'values-adopted': onValuesAdopted,
  'values-lost': onValuesLost,
  'execute-success': onExecuteOutcome,
  'execute-failure': onExecuteOutcome,
  'execute-stopped': onExecuteOutcome,
  'runaway-growth': onRunawayGrowth,
  'gather-success': onGatherOutcome,
  'gather-busy': onGatherOutcome,
  'gather-network-failure': onGatherOutcome,
  'acquire-replicas': onAcquireReplicas,
  'refresh-who-has': onRefreshWhoHas,
  'peer-lost': onPeerLost,
  'retire-worker': onRetireWorker,
  'limit-changed': onLimitChanged,
  'status-change': onStatusChange,
  'set-admission': onSetAdmission,
  'set-room': onSetRoom,
  'hand-back-unstarted': onHandBackUnstarted,
  'slot-stuck': onSlotStuck,
  'session-lost': onSessionLost,
  'session-begun': onSessionBegun,
  tick: stopOverdue,
};

export class WorkerMachine {
  readonly #context: MachineContext;

  constructor(options: WorkerMachineOptions) {
    this.#context = new MachineContext(options);
  }

  /**
   * Takes one event and says what to do. Order matters: perform all instructions, in order, before the next event; and put
   * a value into the store only right before the event that reports it.
   */
  handle(event: WorkerEvent, nowMs: number): WorkerInstruction[] {
    const context = this.#context;
    context.begin(event.stimulusId, nowMs);
    const handler = HANDLERS[event.type] as AnyHandler | undefined;
    if (handler === undefined) throw new InvariantError(`Unhandled worker event ${event.type}`);
    handler(context, event);
    this.#goOn();
    if (context.options.validate) this.#checkMoved();
    return context.instructions;
  }

  /** When to send a `tick`, if nothing else happens before. In the past: at once. */
  get nextWakeMs(): number | undefined {
    const context = this.#context;
    let next = context.mayStart ? earliest(context.peers.nextRestEndMs, context.whoHas.nextAskMs) : undefined;
    next = earliest(next, context.puts.nextDueMs);
    for (const slot of context.slots.all) next = earliest(next, slot.deadlineMs);
    return next;
  }

  get status(): WorkerStatus {
    return this.#context.status;
  }

  /** `undefined` for keys that nothing is known of. */
  stateOf(key: TaskKey): TaskStateName | undefined {
    return this.#context.tasks.get(key)?.state.name;
  }

  /** The last moves of one task, oldest first. */
  storyOf(key: TaskKey): StoryEntry[] {
    return this.#context.tasks.storyOf(key);
  }

  /** The last moves of all tasks, oldest first. */
  story(): StoryEntry[] {
    return this.#context.tasks.story();
  }

  /** What is in memory here: for the hello of a new session. */
  holdings(): Holding[] {
    const holdings: Holding[] = [];
    for (const { key, state } of this.#context.tasks.in('memory')) {
      if (state.name === 'memory') holdings.push({ key, nbytes: state.nbytes });
    }
    return holdings;
  }

  /** Runs that were begun or handed to a thread, and have not ended: for the hello of a new session. */
  runs(): { key: TaskKey; runId: RunId }[] {
    return [...this.#context.tasks.in('executing')].flatMap(({ key, state }) =>
      state.name === 'executing' ? [{ key, runId: runIdOf(state.attempt.run) }] : [],
    );
  }

  /** What runs in each slot now, and for how long: for heartbeats. Without attempts that nobody waits for. */
  executing(nowMs: number): { key: TaskKey; runId: RunId; forMs: number }[] {
    const running: { key: TaskKey; runId: RunId; forMs: number }[] = [];
    for (const { head } of this.#context.slots.all) {
      if (head === undefined || head.run.task.lingering === head) continue;
      const forMs = Math.max(0, nowMs - (head.headSinceMs ?? nowMs));
      running.push({ key: head.run.task.key, runId: runIdOf(head.run), forMs });
    }
    return running;
  }

  /** The run each slot executes now, and since when; `undefined` for an idle slot. */
  slotHeads(nowMs: number): ({ runId: RunId; sinceMs: number } | undefined)[] {
    return this.#context.slots.all.map(({ head }) =>
      head === undefined ? undefined : { runId: runIdOf(head.run), sinceMs: head.headSinceMs ?? nowMs },
    );
  }

  countsByState(): Record<TaskStateName, number> {
    const counts = TASK_STATE_NAMES.map((name) => [name, this.#context.tasks.in(name).size]);
    return Object.fromEntries(counts) as Record<TaskStateName, number>;
  }

  /** Throws `InvariantError`, with the story, unless everything the machine promises of itself holds. */
  check(): void {
    this.#assertWhole(checkAll(this.#context));
  }

  #checkMoved(): void {
    const { movedTasks, tasks } = this.#context;
    for (const task of movedTasks) {
      if (tasks.get(task.key) === task) this.#assertWhole(checkTask(this.#context, task));
    }
    movedTasks.clear();
  }

  #assertWhole(broken: Broken | undefined): void {
    if (broken === undefined) return;
    const story = formatStory(broken.key === undefined ? [] : this.storyOf(broken.key));
    throw new InvariantError(
      `${broken.message} (worker ${this.#context.options.workerId}, cause ${this.#context.stimulusId})\n${story}`,
    );
  }

  /** What every event may have made possible, and what time has. */
  #goOn(): void {
    const context = this.#context;
    // Order matters: an execution that starts below may make a value of the same key anew.
    context.flushFreed();
    announcePuts(context);
    startReadyTasks(context);
    if (context.mayStart) {
      startGathers(context);
      askWhoHas(context);
    } else {
      returnUnstarted(context);
    }
  }
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}
