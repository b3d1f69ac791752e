import { FutureCancelledError, type ClientId, type TaskKey } from '@spillway/kernel';
import type { KeyOutcome, SchedulerToClient } from '@spillway/messages';

type Calls = Set<(outcome: KeyOutcome) => void>;
type Ended = Extract<SchedulerToClient, { type: 'key-in-memory' | 'key-erred' | 'key-cancelled' }>;

/** Calls of clients without a control stream that wait for keys: they hear what a stream would have carried. */
export class KeyWaiters {
  readonly #waiters = new Map<ClientId, Map<TaskKey, Calls>>();

  /** Resolves with the outcome of one key. Rejects when the signal aborts. */
  wait(clientId: ClientId, key: TaskKey, signal: AbortSignal): Promise<KeyOutcome> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#remove(clientId, key, settle);
        reject(new FutureCancelledError(`The call that waited for ${key} was cancelled.`));
      };
      const settle = (outcome: KeyOutcome): void => {
        signal.removeEventListener('abort', abort);
        resolve(outcome);
      };
      if (signal.aborted) {
        abort();
        return;
      }
      signal.addEventListener('abort', abort, { once: true });
      this.#add(clientId, key, settle);
    });
  }

  /** What the scheduler just said to this client. */
  notify(clientId: ClientId, message: SchedulerToClient): void {
    if (isEnd(message)) this.#settle(clientId, outcomeOf(message));
  }

  /** The client wants the key no more. */
  forget(clientId: ClientId, key: TaskKey): void {
    this.#settle(clientId, { key, state: 'forgotten' });
  }

  forgetClient(clientId: ClientId): void {
    for (const key of [...(this.#waiters.get(clientId)?.keys() ?? [])]) this.forget(clientId, key);
  }

  #settle(clientId: ClientId, outcome: KeyOutcome): void {
    const ofClient = this.#waiters.get(clientId);
    const calls = ofClient?.get(outcome.key);
    if (ofClient === undefined || calls === undefined) return;
    ofClient.delete(outcome.key);
    if (ofClient.size === 0) this.#waiters.delete(clientId);
    for (const settle of calls) settle(outcome);
  }

  #add(clientId: ClientId, key: TaskKey, settle: (outcome: KeyOutcome) => void): void {
    const ofClient = this.#waiters.get(clientId) ?? new Map<TaskKey, Calls>();
    this.#waiters.set(clientId, ofClient);
    const calls: Calls = ofClient.get(key) ?? new Set();
    ofClient.set(key, calls.add(settle));
  }

  #remove(clientId: ClientId, key: TaskKey, settle: (outcome: KeyOutcome) => void): void {
    const ofClient = this.#waiters.get(clientId);
    const calls = ofClient?.get(key);
    calls?.delete(settle);
    if (calls?.size === 0) ofClient?.delete(key);
    if (ofClient?.size === 0) this.#waiters.delete(clientId);
  }
}

const isEnd = (message: SchedulerToClient): message is Ended =>
  message.type === 'key-in-memory' || message.type === 'key-erred' || message.type === 'key-cancelled';

function outcomeOf(message: Ended): KeyOutcome {
  switch (message.type) {
    case 'key-in-memory':
      return { key: message.key, state: 'memory' };
    case 'key-erred':
      return { key: message.key, state: 'erred', error: message.error };
    case 'key-cancelled':
      return { key: message.key, state: 'forgotten' };
  }
}
