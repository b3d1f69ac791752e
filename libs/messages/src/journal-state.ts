/** What a journal says in the end: applies its records one after the other, and says the outcome in as few as it takes. */
import {
  assertNever,
  type ClientId,
  type ModuleHash,
  type SubmissionId,
  type TaskKey,
  type WorkerId,
} from '@spillway/kernel';
import type { JournalRecord, JournalRecordOf, PlacedTask } from './journal.js';
import type { TaskSpec } from './task-spec.js';

/** As many as the scheduler remembers of one client (`graph-commit.ts`). */
const ACCEPTED_MAX = 10_000;
/** Bounds of one record, so that no one takes long to write or read. */
const TASKS_MAX = 1000;
const TASK_BYTES_MAX = 1024 * 1024;
const KEYS_MAX = 10_000;

type Outcome = JournalRecordOf<'task-finished'> | JournalRecordOf<'task-erred'>;

interface KnownTask {
  readonly key: TaskKey;
  readonly submission: number;
  readonly order: number;
  /** The recipe; `undefined` for data. */
  readonly spec: TaskSpec | undefined;
  outcome: Outcome | undefined;
  history: JournalRecordOf<'task-history'> | undefined;
}

interface KnownClient {
  readonly accepted: Set<SubmissionId>;
  readonly wants: Set<TaskKey>;
}

export class JournalState {
  #life = 0;
  #lastSubmission = 0;
  readonly #modules = new Map<ModuleHash, Uint8Array>();
  readonly #clients = new Map<ClientId, KnownClient>();
  /** Dependencies before their dependents. */
  readonly #tasks = new Map<TaskKey, KnownTask>();
  readonly #workers = new Map<WorkerId, string>();

  /** How many lives of the scheduler have written to it. */
  get life(): number {
    return this.#life;
  }

  get taskCount(): number {
    return this.#tasks.size;
  }

  /** Records about what is not known (any more) change nothing. */
  apply(record: JournalRecord): void {
    switch (record.type) {
      case 'scheduler-started':
        this.#life = Math.max(this.#life, record.life);
        this.#lastSubmission = Math.max(this.#lastSubmission, record.lastSubmission);
        return;
      case 'module-stored':
        this.#modules.set(record.moduleHash, record.bundle);
        return;
      case 'module-dropped':
        this.#modules.delete(record.moduleHash);
        return;
      case 'client-came':
        this.#clients.set(record.clientId, { accepted: new Set(), wants: new Set() });
        return;
      case 'client-gone':
        this.#clients.delete(record.clientId);
        return;
      case 'tasks-made':
        for (const { spec, order } of record.tasks) this.#add(spec.key, record.submission, order, spec);
        return;
      case 'data-made':
        this.#add(record.key, record.submission, 0, undefined);
        return;
      case 'graph-accepted':
        this.#accept(record);
        return;
      case 'keys-wanted':
        for (const key of record.keys) this.#clients.get(record.clientId)?.wants.add(key);
        return;
      case 'keys-unwanted':
        for (const key of record.keys) this.#clients.get(record.clientId)?.wants.delete(key);
        return;
      case 'task-finished':
      case 'task-erred':
        this.#set(record.key, (task) => (task.outcome = record));
        return;
      case 'task-reset':
        this.#set(record.key, (task) => (task.outcome = undefined));
        return;
      case 'task-history':
        this.#set(record.key, (task) => (task.history = record));
        return;
      case 'keys-forgotten':
        for (const key of record.keys) this.#tasks.delete(key);
        return;
      case 'worker-came':
        this.#workers.set(record.workerId, record.name);
        return;
      case 'worker-gone':
        this.#workers.delete(record.workerId);
        return;
      default:
        assertNever(record, 'journal record');
    }
  }

  /** What a new journal would have to say to come to the same. */
  *records(): Generator<JournalRecord> {
    yield { type: 'scheduler-started', life: this.#life, lastSubmission: this.#lastSubmission };
    for (const [moduleHash, bundle] of this.#modules) yield { type: 'module-stored', moduleHash, bundle };
    for (const [workerId, name] of this.#workers) yield { type: 'worker-came', workerId, name };
    yield* this.#taskRecords();
    for (const { outcome, history } of this.#tasks.values()) {
      if (history !== undefined) yield history;
      if (outcome !== undefined) yield outcome;
    }
    for (const [clientId, { accepted, wants }] of this.#clients) {
      yield { type: 'client-came', clientId };
      for (const submissionId of accepted) yield { type: 'graph-accepted', clientId, submissionId };
      for (const keys of inChunks(wants, KEYS_MAX)) yield { type: 'keys-wanted', clientId, keys };
    }
  }

  *#taskRecords(): Generator<JournalRecord> {
    let tasks: PlacedTask[] = [];
    let bytes = 0;
    let last = 0;
    for (const { key, submission, order, spec } of this.#tasks.values()) {
      const isFull = tasks.length === TASKS_MAX || bytes > TASK_BYTES_MAX;
      if (tasks.length > 0 && (isFull || submission !== last || spec === undefined)) {
        yield { type: 'tasks-made', submission: last, tasks };
        [tasks, bytes] = [[], 0];
      }
      if (spec === undefined) {
        yield { type: 'data-made', submission, key };
        continue;
      }
      last = submission;
      tasks.push({ spec, order });
      bytes += spec.args.data.byteLength;
    }
    if (tasks.length > 0) yield { type: 'tasks-made', submission: last, tasks };
  }

  #add(key: TaskKey, submission: number, order: number, spec: TaskSpec | undefined): void {
    this.#lastSubmission = Math.max(this.#lastSubmission, submission);
    // To the end: what it depends on may be younger than a task that had its key before.
    this.#tasks.delete(key);
    this.#tasks.set(key, { key, submission, order, spec, outcome: undefined, history: undefined });
  }

  #set(key: TaskKey, change: (task: KnownTask) => void): void {
    const task = this.#tasks.get(key);
    if (task !== undefined) change(task);
  }

  #accept({ clientId, submissionId }: JournalRecordOf<'graph-accepted'>): void {
    const accepted = this.#clients.get(clientId)?.accepted;
    if (accepted === undefined) return;
    accepted.add(submissionId);
    if (accepted.size <= ACCEPTED_MAX) return;
    const [oldest] = accepted;
    if (oldest !== undefined) accepted.delete(oldest);
  }
}

function* inChunks<T>(values: Iterable<T>, countMax: number): Generator<T[]> {
  let chunk: T[] = [];
  for (const value of values) {
    chunk.push(value);
    if (chunk.length < countMax) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
