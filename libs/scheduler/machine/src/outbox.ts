/**
 * Collects the instructions of one event, in order. Keys to free are gathered per worker into one message, which goes out
 * before anything else is said to that worker: freeing a key and then computing it again must not arrive swapped.
 */
import type { ClientId, StimulusId, TaskKey } from '@spillway/kernel';
import { asStimulusId } from '@spillway/kernel';
import type { SchedulerToClient, SchedulerToWorker } from '@spillway/messages';
import type { SchedulerInstruction, SchedulerLogEvent } from './instructions.js';
import { smallValues } from './small-set.js';
import type { SchedulerTask } from './task.js';
import type { WorkerView } from './worker-view.js';

/** Keys named in one log event. The rest is in its numbers. */
const LOGGED_KEYS_MAX = 20;

export class Outbox {
  #instructions: SchedulerInstruction[] = [];
  readonly #frees = new Map<WorkerView, TaskKey[]>();
  #stimulusId = asStimulusId('');

  /** Everything from now on is caused by this. */
  begin(stimulusId: StimulusId): void {
    if (this.#frees.size > 0) this.#flushFrees();
    this.#stimulusId = stimulusId;
  }

  get stimulusId(): StimulusId {
    return this.#stimulusId;
  }

  toWorker(worker: WorkerView, message: SchedulerToWorker, isBinding = false): void {
    if (this.#frees.size > 0) this.#flushFreesOf(worker);
    const instruction = { type: 'send-to-worker', workerId: worker.id, message } as const;
    this.#instructions.push(isBinding ? { ...instruction, isBinding } : instruction);
  }

  free(worker: WorkerView, key: TaskKey): void {
    const keys = this.#frees.get(worker);
    if (keys === undefined) this.#frees.set(worker, [key]);
    else keys.push(key);
  }

  /** The worker is gone: nothing more is said to it. */
  dropFreesOf(worker: WorkerView): void {
    this.#frees.delete(worker);
  }

  /** `isBinding`: whoever hears it counts on it even if the scheduler dies. */
  toClient(clientId: ClientId, message: SchedulerToClient, isBinding = false): void {
    const instruction = { type: 'send-to-client', clientId, message } as const;
    this.#instructions.push(isBinding ? { ...instruction, isBinding } : instruction);
  }

  /** To every client that wants the task. */
  toClientsOf(task: SchedulerTask, message: SchedulerToClient): void {
    for (const client of smallValues(task.wantedBy)) this.toClient(client.id, message);
  }

  log(
    event: SchedulerLogEvent,
    fields: Readonly<Record<string, string | number | boolean>>,
    keys?: readonly TaskKey[],
  ): void {
    this.#instructions.push({
      type: 'log-event',
      stimulusId: this.#stimulusId,
      event,
      fields,
      ...(keys === undefined ? {} : { keys: keys.slice(0, LOGGED_KEYS_MAX) }),
    });
  }

  add(instruction: SchedulerInstruction): void {
    this.#instructions.push(instruction);
  }

  take(): SchedulerInstruction[] {
    if (this.#frees.size > 0) this.#flushFrees();
    const taken = this.#instructions;
    this.#instructions = [];
    return taken;
  }

  #flushFrees(): void {
    for (const worker of this.#frees.keys()) this.#flushFreesOf(worker);
  }

  #flushFreesOf(worker: WorkerView): void {
    const keys = this.#frees.get(worker);
    if (keys === undefined) return;
    this.#frees.delete(worker);
    const message: SchedulerToWorker = { type: 'free-keys', stimulusId: this.#stimulusId, keys };
    this.#instructions.push({ type: 'send-to-worker', workerId: worker.id, message });
  }
}
