/**
 * Collects what the journal is told of one event: facts, each about one thing, so that the scheduler's next life can go on
 * (`recovery.ts`). What follows from other facts (a task waits, where copies are) is not written down.
 */
import type { ClientId, TaskKey } from '@spillway/kernel';
import type { JournalRecord, PlacedTask } from '@spillway/messages';
import type { SchedulerTask } from './task.js';

export class JournalNotes {
  #records: JournalRecord[] = [];
  /** Tasks that lost their outcome: most of them are forgotten in the same event, and need no record of their own. */
  readonly #reset = new Set<TaskKey>();

  constructor(private readonly isOn: boolean) {}

  add(record: JournalRecord): void {
    if (this.isOn) this.#records.push(record);
  }

  made(task: SchedulerTask): void {
    const { spec, submission, order } = task;
    if (!this.isOn || spec === undefined) return;
    const last = this.#records.at(-1);
    if (last?.type === 'tasks-made' && last.submission === submission)
      (last.tasks as PlacedTask[]).push({ spec, order });
    else this.#records.push({ type: 'tasks-made', submission, tasks: [{ spec, order }] });
  }

  wanted(clientId: ClientId, key: TaskKey): void {
    this.#addKey('keys-wanted', clientId, key);
  }

  unwanted(clientId: ClientId, key: TaskKey): void {
    this.#addKey('keys-unwanted', clientId, key);
  }

  /** It has a result, or has failed. */
  ended(record: Extract<JournalRecord, { type: 'task-finished' | 'task-erred' }>): void {
    if (!this.isOn) return;
    this.#reset.delete(record.key);
    this.#records.push(record);
  }

  reset(key: TaskKey): void {
    if (this.isOn) this.#reset.add(key);
  }

  forgotten(key: TaskKey): void {
    if (!this.isOn) return;
    this.#reset.delete(key);
    const last = this.#records.at(-1);
    if (last?.type === 'keys-forgotten') (last.keys as TaskKey[]).push(key);
    else this.#records.push({ type: 'keys-forgotten', keys: [key] });
  }

  /** `mayHaveRun`: also of a run that is only about to begin. */
  history(task: SchedulerTask, mayHaveRun = task.mayHaveRun): void {
    if (!this.isOn) return;
    const { key, attempt, retriesLeft, deaths = [] } = task;
    const journaled = deaths.map(({ workerId, workerName, verdict }) => ({ workerId, workerName, verdict }));
    this.#records.push({ type: 'task-history', key, attempt, retriesLeft, mayHaveRun, deaths: journaled });
  }

  /** Everything since this was asked last, in order. */
  take(): readonly JournalRecord[] {
    for (const key of this.#reset) this.#records.push({ type: 'task-reset', key });
    this.#reset.clear();
    const records = this.#records;
    if (records.length > 0) this.#records = [];
    return records;
  }

  #addKey(type: 'keys-wanted' | 'keys-unwanted', clientId: ClientId, key: TaskKey): void {
    if (!this.isOn) return;
    const last = this.#records.at(-1);
    if (last?.type === type && last.clientId === clientId) (last.keys as TaskKey[]).push(key);
    else this.#records.push({ type, clientId, keys: [key] });
  }
}
