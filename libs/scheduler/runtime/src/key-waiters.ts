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
      const calls = this.#callsOf(clientId, key);
      const abort = (): void => {
        calls.delete(settle);
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
      calls.add(settle);
    });
  }

  /** What the scheduler just said to this client. */
  notify(clientId: ClientId, message: SchedulerToClient): void {
    if (!isEnd(message)) return;
    const ofClient = this.#waiters.get(clientId);
    const calls = ofClient?.get(message.key);
    if (ofClient === undefined || calls === undefined) return;
    ofClient.delete(message.key);
    if (ofClient.size === 0) this.#waiters.delete(clientId);
    for (const settle of calls) settle(outcomeOf(message));
  }

  #callsOf(clientId: ClientId, key: TaskKey): Calls {
    let ofClient = this.#waiters.get(clientId);
    if (ofClient === undefined) {
      ofClient = new Map<TaskKey, Calls>();
      this.#waiters.set(clientId, ofClient);
    }
    let calls = ofClient.get(key);
    if (calls === undefined) {
      calls = new Set();
      ofClient.set(key, calls);
    }
    return calls;
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
