/**
 * What the parts of the machine share while an event is handled: the tables, the event's time and cause, and the
 * instructions so far. `move` is the one way to change a task's state.
 */
import {
  InvalidTransitionError,
  SeededRandom,
  asStimulusId,
  formatStory,
  type StimulusId,
  type TaskKey,
} from '@spillway/kernel';
import type { WorkerStatus, WorkerToScheduler } from '@spillway/messages';
import type { WorkerInstruction } from './instructions.js';
import type { WorkerMachineOptions } from './options.js';
import type { Admission } from './events.js';
import { Peers } from './peers.js';
import { PutAnnouncements } from './put-announcements.js';
import { ReadyQueue } from './ready-queue.js';
import { Slots } from './slots.js';
import type { Run, TaskState, WorkerTask } from './task.js';
import { TaskTable } from './task-table.js';
import { TRANSITIONS, type AnyTransition } from './transitions/index.js';
import { WhoHasRequests } from './who-has-requests.js';

/** A result is in its thread's heap and in shared memory at the same time, until its thread has collected. */
const RESULT_FOOTPRINT = 2;

export class MachineContext {
  readonly tasks: TaskTable;
  readonly ready = new ReadyQueue();
  readonly slots: Slots;
  readonly peers = new Peers();
  readonly whoHas: WhoHasRequests;
  readonly puts: PutAnnouncements;
  readonly random: SeededRandom;

  nowMs = 0;
  stimulusId: StimulusId = asStimulusId('');
  instructions: WorkerInstruction[] = [];
  /** Collected during an event, so that they leave in one instruction. */
  freedKeys: TaskKey[] = [];
  /** With `validate`: tasks that were moved during the event. */
  readonly movedTasks = new Set<WorkerTask>();

  status: WorkerStatus = 'running';
  admission: Admission = 'open';
  /** What running tasks may come to add to process memory; `false`: any amount. */
  roomBytes: number | false = false;
  /** Paused, and what is not started goes back. */
  isHandingBack = false;
  /** The process was asked to end: nothing starts any more. */
  isRecycling = false;
  nextRunOrder = 0;
  /** Most bytes in flight to this worker; changes with the memory limit. */
  transferBytesMax: number | false;
  /** What was in flight when that changed, if nothing was asked for since: it was admitted under the one before. */
  admittedBytes = 0;

  constructor(readonly options: WorkerMachineOptions) {
    this.tasks = new TaskTable(options.storyEntriesMax);
    this.slots = new Slots(options.slotCount, options);
    this.whoHas = new WhoHasRequests(options.whoHasRetryMs);
    this.puts = new PutAnnouncements(options.putAnnounceMs);
    this.random = new SeededRandom(options.seed);
    this.transferBytesMax = options.transferBytesMax;
  }

  get mayStart(): boolean {
    return this.status === 'running' && !this.isRecycling;
  }

  /** Whether this run may start now, as far as the worker as a whole is concerned. */
  admits(run: Run): boolean {
    // Its end frees memory, which is what everything else waits for.
    if (run.message.evenIfPaused === true) return this.status !== 'retiring' && !this.isRecycling;
    if (!this.mayStart || this.admission === 'closed') return false;
    return this.slots.areIdle || (this.admission === 'open' && this.#hasRoomFor(run));
  }

  /** What returns little is always let in: the credit is for what others return. */
  #hasRoomFor({ message: { expectedBytes = 0 } }: Run): boolean {
    if (this.roomBytes === false || expectedBytes === 0) return true;
    return (this.slots.expectedBytes + expectedBytes) * RESULT_FOOTPRINT <= this.roomBytes;
  }

  begin(stimulusId: StimulusId, nowMs: number): void {
    this.stimulusId = stimulusId;
    this.nowMs = nowMs;
    this.instructions = [];
  }

  move(task: WorkerTask, to: TaskState): void {
    const from = task.state;
    const transition = TRANSITIONS[from.name][to.name] as AnyTransition | undefined;
    if (transition === undefined) throw this.#invalidTransition(task, to);
    this.tasks.setState(task, to, this.nowMs, this.stimulusId);
    transition(this, task, from, to);
    if (this.options.validate) this.movedTasks.add(task);
  }

  forget(task: WorkerTask): void {
    this.tasks.forget(task, this.nowMs, this.stimulusId);
  }

  send(message: WorkerToScheduler): void {
    this.instructions.push({ type: 'send-to-scheduler', message });
  }

  /** The store has a value under this key that nobody may read any more. */
  free(key: TaskKey): void {
    this.freedKeys.push(key);
  }

  flushFreed(): void {
    if (this.freedKeys.length === 0) return;
    this.instructions.push({ type: 'free-values', stimulusId: this.stimulusId, keys: this.freedKeys });
    this.freedKeys = [];
  }

  #invalidTransition(task: WorkerTask, to: TaskState): InvalidTransitionError {
    const edge = `${task.state.name}>${to.name}`;
    const story = formatStory(this.tasks.storyOf(task.key));
    return new InvalidTransitionError(
      `Task ${task.key} on worker ${this.options.workerId} was to move ${edge}, which no transition allows. ` +
        `Cause: ${this.stimulusId}. Its story:\n${story}`,
      { details: { key: task.key, edge, stimulusId: this.stimulusId, story } },
    );
  }
}
