/**
 * All tasks by key, and everything that is derived from their states: counts, the workers' `processing`, the tasks
 * without a worker, the confined ones, the restricted ones that wait for one of their workers. `enter` is the only place
 * where a task's state changes.
 */
import { Story, type StimulusId, type TaskKey } from '@spillway/kernel';
import type { LoadIndex } from './load-index.js';
import type { SchedulerTask, StateName, TaskState } from './task.js';

const NO_TASKS: ReadonlySet<SchedulerTask> = new Set();

export class TaskTable {
  readonly story: Story;
  readonly #tasks = new Map<TaskKey, SchedulerTask>();
  readonly #counts: Record<StateName, number> = {
    released: 0,
    waiting: 0,
    queued: 0,
    'no-worker': 0,
    processing: 0,
    memory: 0,
    awaited: 0,
    erred: 0,
    forgotten: 0,
  };
  readonly #noWorker = new Set<SchedulerTask>();
  readonly #confined = new Set<SchedulerTask>();
  readonly #awaited = new Set<SchedulerTask>();
  readonly #unplacedByWorker = new Map<string, Set<SchedulerTask>>();

  constructor(
    private readonly loads: LoadIndex,
    storyEntriesMax: number,
  ) {
    this.story = new Story(storyEntriesMax);
  }

  get(key: TaskKey): SchedulerTask | undefined {
    return this.#tasks.get(key);
  }

  all(): Iterable<SchedulerTask> {
    return this.#tasks.values();
  }

  /** Tasks of each state; of `forgotten`, all there have ever been. */
  get counts(): Readonly<Record<StateName, number>> {
    return this.#counts;
  }

  /** Oldest first. */
  get noWorker(): ReadonlySet<SchedulerTask> {
    return this.#noWorker;
  }

  /** Oldest first, which is in the order of their deadlines. */
  get awaited(): ReadonlySet<SchedulerTask> {
    return this.#awaited;
  }

  /** Tasks, queued or without a worker, whose inputs are too large for some worker. */
  get confined(): ReadonlySet<SchedulerTask> {
    return this.#confined;
  }

  /** Restricted tasks, queued or without a worker, that name this worker. */
  unplacedNaming(nameOrId: string): ReadonlySet<SchedulerTask> {
    return this.#unplacedByWorker.get(nameOrId) ?? NO_TASKS;
  }

  /** Requires: a new task, in the state `released`. */
  add(task: SchedulerTask): void {
    this.#tasks.set(task.key, task);
    this.#counts.released += 1;
  }

  enter(task: SchedulerTask, to: TaskState, stimulusId: StimulusId, nowMs: number): void {
    const from = task.state;
    this.#counts[from.name] -= 1;
    this.#counts[to.name] += 1;
    if (from.name === 'processing') {
      from.worker.unassign(from);
      this.loads.update(from.worker);
    } else if (from.name === 'queued' || from.name === 'no-worker') {
      this.#noWorker.delete(task);
      if (from.isConfined) this.#confined.delete(task);
      this.#setUnplaced(task, false);
    } else if (from.name === 'awaited') {
      this.#awaited.delete(task);
    }
    task.state = to;
    if (to.name === 'processing') {
      to.worker.assign(task, to);
      this.loads.update(to.worker);
    } else if (to.name === 'queued' || to.name === 'no-worker') {
      if (to.name === 'no-worker') this.#noWorker.add(task);
      if (to.isConfined) this.#confined.add(task);
      this.#setUnplaced(task, true);
    } else if (to.name === 'awaited') {
      this.#awaited.add(task);
    } else if (to.name === 'forgotten') {
      this.#tasks.delete(task.key);
    }
    this.story.add({ key: task.key, from: from.name, to: to.name, stimulusId, atMs: nowMs });
  }

  /** Requires: the task has no worker. It goes to the end of those that wait for one. */
  waitAnew(task: SchedulerTask, nowMs: number): void {
    if (task.state.name !== 'no-worker') return;
    task.state.sinceMs = nowMs;
    this.#noWorker.delete(task);
    this.#noWorker.add(task);
  }

  #setUnplaced(task: SchedulerTask, isUnplaced: boolean): void {
    if (task.spec === undefined || task.spec.workers.length === 0) return;
    for (const nameOrId of task.spec.workers) {
      const tasks = this.#unplacedByWorker.get(nameOrId) ?? new Set();
      if (isUnplaced) this.#unplacedByWorker.set(nameOrId, tasks.add(task));
      else if (tasks.delete(task) && tasks.size === 0) this.#unplacedByWorker.delete(nameOrId);
    }
  }
}
