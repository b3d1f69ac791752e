/**
 * All records by key, and by state. The only place that changes a state, so that membership is derived and never kept
 * twice; every change goes into the story. Whether a change is allowed is not asked here (`transitions/`).
 */
import { Story, type StimulusId, type StoryEntry, type TaskKey } from '@spillway/kernel';
import { RELEASED, type TaskState, type TaskStateName, type WorkerTask } from './task.js';

export class TaskTable {
  readonly #tasks = new Map<TaskKey, WorkerTask>();
  readonly #byState: Readonly<Record<TaskStateName, Set<WorkerTask>>> = {
    released: new Set(),
    waiting: new Set(),
    fetch: new Set(),
    flight: new Set(),
    ready: new Set(),
    executing: new Set(),
    memory: new Set(),
    erred: new Set(),
  };
  readonly #story: Story;

  constructor(storyEntriesMax: number) {
    this.#story = new Story(storyEntriesMax);
  }

  get(key: TaskKey): WorkerTask | undefined {
    return this.#tasks.get(key);
  }

  all(): Iterable<WorkerTask> {
    return this.#tasks.values();
  }

  /** In the order they entered the state. */
  in(name: TaskStateName): ReadonlySet<WorkerTask> {
    return this.#byState[name];
  }

  /** The record of a key; a new one is `released` and has to be moved on, or forgotten, in the same event. */
  obtain(key: TaskKey): WorkerTask {
    const known = this.#tasks.get(key);
    if (known !== undefined) return known;
    const task: WorkerTask = { key, state: RELEASED, neededBy: undefined, lingering: undefined };
    this.#tasks.set(key, task);
    this.#byState.released.add(task);
    return task;
  }

  setState(task: WorkerTask, state: TaskState, atMs: number, stimulusId: StimulusId): void {
    const from = task.state.name;
    this.#byState[from].delete(task);
    this.#byState[state.name].add(task);
    task.state = state;
    this.#story.add({ key: task.key, from, to: state.name, stimulusId, atMs });
  }

  forget(task: WorkerTask, atMs: number, stimulusId: StimulusId): void {
    this.#tasks.delete(task.key);
    this.#byState[task.state.name].delete(task);
    this.#story.add({ key: task.key, from: task.state.name, to: 'forgotten', stimulusId, atMs });
  }

  storyOf(key: TaskKey): StoryEntry[] {
    return this.#story.of(key);
  }

  story(): StoryEntry[] {
    return this.#story.all();
  }
}
