/** What one client knows about one key: its state, how many handles want it, and who waits for a change. */
import type { FutureCancelledError, SpillwayError, TaskKey } from '@spillway/kernel';
import type { Holder, Payload } from '@spillway/messages';
import { untilCalled } from './abort-listeners.js';

export type KeyState =
  /** Submitted, no result yet. */
  | { readonly name: 'pending' }
  /** Was finished; the last copy is gone and it is being computed again. */
  | { readonly name: 'lost' }
  /** In memory of the holders; `inline`: the value itself, when it was small. */
  | {
      readonly name: 'finished';
      readonly nbytes: number;
      readonly holders: readonly Holder[];
      readonly inline?: Payload;
    }
  | { readonly name: 'erred'; readonly error: SpillwayError }
  | { readonly name: 'cancelled'; readonly error: FutureCancelledError };

export const PENDING: KeyState = { name: 'pending' };
export const LOST: KeyState = { name: 'lost' };

/** Whether a key in this state changes again only if something goes wrong or is retried. */
export const isSettled = (state: KeyState): boolean => state.name !== 'pending' && state.name !== 'lost';

export class KeyRecord {
  /** Handles of the user and holds of other records. Only `KeyTable` changes it. */
  referenceCount = 0;
  /** Records kept alive by this one: data that was scattered for its arguments, needed to compute it again. */
  holds: KeyRecord[] | undefined;
  /** The cluster never heard of this key: its submission failed here, or was refused. */
  isUnsubmitted = false;
  /** The cluster may have heard of this key. */
  hasBeenSaid = false;
  /**
   * The graph that makes this key is not accepted yet (or the data not confirmed, after the scheduler has died): what arrives about the key is from before, when another handle
   * of the same key was released, and is not about this one.
   */
  awaitsAcceptance = false;
  #state: KeyState = PENDING;
  #listeners: Set<() => void> | undefined;

  constructor(readonly key: TaskKey) {}

  get state(): KeyState {
    return this.#state;
  }

  become(state: KeyState): void {
    this.#state = state;
    this.notify();
  }

  /** Tells those who wait to look again. */
  notify(): void {
    if (this.#listeners === undefined) return;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Calls on every change; returns what ends it. */
  onChange(listener: () => void): () => void {
    const listeners = (this.#listeners ??= new Set());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }
}

/** Resolves once `isReached()` holds, looked at now and on every change of the record. Rejects when the signal aborts. */
export async function reached(
  record: KeyRecord,
  isReached: () => boolean,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  if (isReached()) return;
  await untilCalled(signal, (done) => {
    const stopListening = record.onChange(() => {
      if (!isReached()) return;
      stopListening();
      done();
    });
    return stopListening;
  });
}
