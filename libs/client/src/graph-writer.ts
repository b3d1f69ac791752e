/**
 * Sends one graph in parts that stay below the bound of a part; a single larger task makes a part of its own. Each part
 * says that all of its tasks are wanted: the list of all keys of a large graph would not fit into the commit.
 */
import type { SubmissionId } from '@spillway/kernel';
import { GRAPH_PART_BYTES_MAX, type ClientToScheduler, type TaskSpec } from '@spillway/messages';
import { wireBytesOf } from './task-draft.js';

/** What a part holds beside its tasks. */
const PART_HEADER_BYTES = 1024;

export class GraphWriter {
  #tasks: TaskSpec[] = [];
  #bytes = PART_HEADER_BYTES;
  #partCount = 0;
  #taskCount = 0;

  constructor(
    readonly submissionId: SubmissionId,
    private readonly send: (message: ClientToScheduler) => void,
  ) {}

  get taskCount(): number {
    return this.#taskCount;
  }

  add(spec: TaskSpec): void {
    // Its key is there a second time, among the wants.
    const bytes = wireBytesOf(spec) + Buffer.byteLength(spec.key) + 4;
    if (this.#tasks.length > 0 && this.#bytes + bytes > GRAPH_PART_BYTES_MAX) this.#flush();
    this.#tasks.push(spec);
    this.#bytes += bytes;
    this.#taskCount += 1;
  }

  /** Nothing acts on the graph before this. */
  commit(): void {
    if (this.#tasks.length > 0) this.#flush();
    const { submissionId } = this;
    this.send({ type: 'graph-commit', submissionId, partCount: this.#partCount, wants: [] });
  }

  #flush(): void {
    const { submissionId } = this;
    const tasks = this.#tasks;
    const wants = tasks.map(({ key }) => key);
    this.send({ type: 'graph-part', submissionId, partIndex: this.#partCount, tasks, wants });
    this.#partCount += 1;
    this.#tasks = [];
    this.#bytes = PART_HEADER_BYTES;
  }
}
