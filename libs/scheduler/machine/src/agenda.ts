import type { SchedulerTask } from './task.js';
import type { WorkerView } from './worker-view.js';

/** What an event has left to be decided: worked off by `settling.ts` before `handle` returns. */
export class Agenda {
  #tasks: SchedulerTask[] = [];
  #nextIndex = 0;
  /** Waiting tasks that miss nothing any more. */
  ready: SchedulerTask[] = [];
  /** Tasks that can wait for a later slice: they would make this event take too long. */
  later: SchedulerTask[] = [];
  /** Workers that may have room for queued tasks. */
  readonly roomy = new Set<WorkerView>();

  /** Something that the task's next state depends on has changed. */
  add(task: SchedulerTask): void {
    if (task.isOnAgenda) return;
    task.isOnAgenda = true;
    this.#tasks.push(task);
  }

  get hasTasks(): boolean {
    return this.#nextIndex < this.#tasks.length;
  }

  next(): SchedulerTask | undefined {
    const task = this.#tasks[this.#nextIndex];
    if (task === undefined) {
      this.#tasks = [];
      this.#nextIndex = 0;
      return undefined;
    }
    this.#nextIndex += 1;
    task.isOnAgenda = false;
    return task;
  }

  takeReady(): SchedulerTask[] {
    const { ready } = this;
    this.ready = [];
    return ready;
  }
}
