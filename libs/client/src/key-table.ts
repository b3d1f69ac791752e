/**
 * All keys that one client wants, counted by handle. The last handle of a key gone, the key is no longer wanted and
 * the scheduler is told, many keys in one message. Messages about keys that nobody here wants any more are ignored.
 */
import { FutureCancelledError, LostDataError, type SpillwayError, type TaskKey } from '@spillway/kernel';
import type { SchedulerToClient } from '@spillway/messages';
import { isSettled, KeyRecord, LOST, PENDING, type KeyState } from './key-record.js';
import { rebuildError } from './remote-errors.js';

export type KeyMessage = Extract<SchedulerToClient, { key: TaskKey }>;

export class KeyTable {
  readonly #records = new Map<TaskKey, KeyRecord>();
  #ended: SpillwayError | undefined;

  /** `onUnwanted`: the last reference to the key is gone. */
  constructor(private readonly onUnwanted: (key: TaskKey) => void) {}

  find(key: TaskKey): KeyRecord | undefined {
    return this.#records.get(key);
  }

  keys(): TaskKey[] {
    return [...this.#records.keys()];
  }

  /** Keys that the cluster is to know are wanted. */
  *saidKeys(): Generator<TaskKey> {
    for (const { key, hasBeenSaid, isUnsubmitted, state } of this.#records.values())
      if (hasBeenSaid && !isUnsubmitted && state.name !== 'cancelled') yield key;
  }

  /** The record of a key that a new handle may share: not one that is cancelled or never reached the cluster. */
  findUsable(key: TaskKey): KeyRecord | undefined {
    const record = this.#records.get(key);
    return record === undefined || record.isUnsubmitted || record.state.name === 'cancelled'
      ? undefined
      : record;
  }

  /** One more reference to the key, whose record is made when there is none to share. */
  acquire(key: TaskKey): KeyRecord {
    let record = this.findUsable(key);
    if (record === undefined) {
      record = new KeyRecord(key);
      if (this.#ended !== undefined) record.become({ name: 'erred', error: this.#ended });
      this.#records.set(key, record);
    }
    record.referenceCount += 1;
    return record;
  }

  /** Keeps `held` wanted as long as `holder` is. */
  hold(holder: KeyRecord, held: KeyRecord): void {
    held.referenceCount += 1;
    (holder.holds ??= []).push(held);
  }

  /** One reference less. Requires: one `acquire` or `hold` for each release. */
  release(record: KeyRecord): void {
    record.referenceCount -= 1;
    if (record.referenceCount > 0) return;
    if (this.#records.get(record.key) === record) this.#records.delete(record.key);
    const { holds } = record;
    record.holds = undefined;
    this.onUnwanted(record.key);
    holds?.forEach((held) => this.release(held));
  }

  apply(message: KeyMessage): void {
    const record = this.#records.get(message.key);
    // Cancelled here is final, whatever was on its way.
    if (record === undefined || record.awaitsAcceptance || record.state.name === 'cancelled') return;
    record.become(stateAfter(message));
  }

  /** The session is over: what is not at hand now never will be, and neither will what comes later. */
  end(error: SpillwayError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    for (const record of this.#records.values()) {
      if (isUnfinished(record.state)) record.become({ name: 'erred', error });
    }
  }
}

function isUnfinished(state: KeyState): boolean {
  return !isSettled(state) || (state.name === 'finished' && state.inline === undefined);
}

function stateAfter(message: KeyMessage): KeyState {
  switch (message.type) {
    case 'key-in-memory': {
      const { nbytes, holders, inline } = message;
      return { name: 'finished', nbytes, holders, ...(inline === undefined ? {} : { inline }) };
    }
    case 'key-erred':
      return { name: 'erred', error: rebuildError(message.error) };
    case 'key-lost':
      return LOST;
    case 'key-retried':
      return PENDING;
    case 'key-cancelled':
      return { name: 'cancelled', error: cancelled(message.key, message.reason) };
  }
}

export function cancelled(key: TaskKey, reason: string): FutureCancelledError {
  return new FutureCancelledError(
    `The future ${key} was cancelled: ${reason}. It will never have a result.`,
    {
      details: { key, reason },
    },
  );
}

export function lostForGood(key: TaskKey): LostDataError {
  return new LostDataError(
    `The result of ${key} was in memory, but no worker has it any more and the scheduler does not know it. Submit it again.`,
    { details: { key } },
  );
}
