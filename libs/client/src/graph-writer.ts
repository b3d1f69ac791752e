/** Sends one graph in parts that stay below the bound of a part; a single larger task makes a part of its own. */
import type { SubmissionId, TaskKey } from '@spillway/kernel';
import { GRAPH_PART_BYTES_MAX, type ClientToScheduler, type TaskSpec } from '@spillway/messages';
import { wireBytesOf } from './task-draft.js';

/** What a part holds beside its tasks. */
const PART_HEADER_BYTES = 1024;

export class GraphWriter {
  #tasks: TaskSpec[] = [];
  #bytes = PART_HEADER_BYTES;
  #partCount = 0;
  readonly #wants: TaskKey[] = [];

  constructor(
    readonly submissionId: SubmissionId,
    private readonly send: (message: ClientToScheduler) => void,
  ) {}

  get taskCount(): number {
    return this.#wants.length;
  }

  add(spec: TaskSpec): void {
    const bytes = wireBytesOf(spec);
    if (this.#tasks.length > 0 && this.#bytes + bytes > GRAPH_PART_BYTES_MAX) this.#flush();
    this.#tasks.push(spec);
    this.#bytes += bytes;
    this.#wants.push(spec.key);
  }

  /** Nothing acts on the graph before this. */
  commit(): void {
    if (this.#tasks.length > 0) this.#flush();
    const { submissionId } = this;
    this.send({ type: 'graph-commit', submissionId, partCount: this.#partCount, wants: this.#wants });
  }

  #flush(): void {
    const { submissionId } = this;
    this.send({ type: 'graph-part', submissionId, partIndex: this.#partCount, tasks: this.#tasks });
    this.#partCount += 1;
    this.#tasks = [];
    this.#bytes = PART_HEADER_BYTES;
  }
}
