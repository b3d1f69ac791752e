/** A graph on its way in: its parts are collected here and checked one by one; nothing runs before the commit. */
import type { SubmissionId, TaskKey } from '@spillway/kernel';
import { remoteError, type RemoteError, type TaskSpec } from '@spillway/messages';
import { isSameTask } from './same-task.js';

export class StagedGraph {
  readonly specs: TaskSpec[] = [];
  /** Keys that its parts want for the client, in the order said. */
  readonly wants: TaskKey[] = [];
  /** Place of each key in `specs`. */
  readonly indexOf = new Map<TaskKey, number>();
  /** Some task names a dependency that comes after it (or itself): only such a graph can have a cycle. */
  hasForwardReferences = false;
  /** Why it will be refused, however it goes on. */
  refusal: RemoteError | undefined = undefined;
  partCount = 0;
  /** Dependencies that had not been seen in the graph when they were named. */
  readonly #unseen = new Set<TaskKey>();

  constructor(readonly submissionId: SubmissionId) {}

  /** What it counts as, in tasks. */
  get size(): number {
    return Math.max(this.specs.length, this.wants.length);
  }

  /**
   * By how much its size has grown; negative when it is refused now. Parts that came before are ignored, a gap is refused.
   */
  addPart(partIndex: number, tasks: readonly TaskSpec[], wants: readonly TaskKey[] = []): number {
    const sizeBefore = this.size;
    if (this.refusal !== undefined || partIndex < this.partCount) return 0;
    if (partIndex > this.partCount) {
      this.refuse(
        remoteError('INVALID_ARGUMENT', `Part ${this.partCount} of the graph is missing. Submit it again.`),
      );
    } else {
      this.partCount += 1;
      for (const key of wants) this.wants.push(key);
      for (const spec of tasks) this.#add(spec);
    }
    return this.size - sizeBefore;
  }

  /** The first reason stays. What was collected is dropped at once. */
  refuse(error: RemoteError): void {
    if (this.refusal !== undefined) return;
    this.refusal = error;
    this.specs.length = 0;
    this.wants.length = 0;
    this.indexOf.clear();
    this.#unseen.clear();
  }

  #add(spec: TaskSpec): void {
    if (this.refusal !== undefined) return;
    const known = this.indexOf.get(spec.key);
    if (known !== undefined) {
      if (!isSameTask(this.specs[known]!, spec)) this.refuse(keyConflict(spec.key, 'this graph'));
      return;
    }
    for (const dependency of spec.dependencies) {
      if (!this.indexOf.has(dependency)) this.#unseen.add(dependency);
    }
    if (this.#unseen.has(spec.key)) this.hasForwardReferences = true;
    this.indexOf.set(spec.key, this.specs.push(spec) - 1);
  }
}

export function keyConflict(key: TaskKey, where: string): RemoteError {
  return remoteError(
    'KEY_CONFLICT',
    `The key ${key} is used in ${where} for a task with another function, other arguments or other dependencies. ` +
      `Use another key, or submit exactly the same task.`,
    { key },
  );
}
