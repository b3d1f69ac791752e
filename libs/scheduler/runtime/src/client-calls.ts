import { FutureCancelledError, type ClientId, type SubmissionId, type TaskKey } from '@spillway/kernel';
import {
  fromRemoteError,
  type ClientToScheduler,
  type KeyOutcome,
  type ScatteredData,
  type SchedulerToClient,
  type TaskSpec,
} from '@spillway/messages';
import type { ClientPresence } from './client-presence.js';
import { KeyWaiters } from './key-waiters.js';
import { SubmissionWaiters } from './submission-waiters.js';

export interface ClientCallsOptions {
  readonly presence: ClientPresence;
  /** Does what the client would have said on a stream. */
  readonly say: (clientId: ClientId, message: ClientToScheduler) => void;
  readonly knowsClient: (clientId: ClientId) => boolean;
}

/**
 * Calls of clients without a control stream that wait for what a stream would have told them. Every call is answered:
 * by what the scheduler says of its keys, or because the keys were let go of or the client is no more.
 */
export class ClientCalls {
  readonly #keyWaiters = new KeyWaiters();
  readonly #submissionWaiters = new SubmissionWaiters();

  constructor(private readonly options: ClientCallsOptions) {}

  async submitGraph(
    clientId: ClientId,
    submissionId: SubmissionId,
    parts: AsyncIterable<readonly TaskSpec[]>,
    wants: readonly TaskKey[],
  ): Promise<void> {
    const { presence, say, knowsClient } = this.options;
    await presence.during(clientId, async () => {
      let partCount = 0;
      for await (const tasks of parts)
        say(clientId, { type: 'graph-part', submissionId, partIndex: partCount++, tasks });
      if (!knowsClient(clientId)) throw closedMeanwhile(clientId);
      const answer = this.#submissionWaiters.wait(clientId, submissionId);
      say(clientId, { type: 'graph-commit', submissionId, partCount, wants });
      await answer;
    });
  }

  async waitForKeys(
    clientId: ClientId,
    keys: readonly TaskKey[],
    signal: AbortSignal,
  ): Promise<readonly KeyOutcome[]> {
    return this.options.presence.during(clientId, () => {
      const outcomes = keys.map((key) => this.#keyWaiters.wait(clientId, key, signal));
      // Wanting a key is answered at once when it has come to an end already.
      this.options.say(clientId, { type: 'client-desires-keys', keys });
      return Promise.all(outcomes);
    });
  }

  async registerData(clientId: ClientId, data: ScatteredData, signal: AbortSignal): Promise<void> {
    const outcome = await this.options.presence.during(clientId, () => {
      // The client wants it from here on, so it hears at once what became of it.
      const answer = this.#keyWaiters.wait(clientId, data.key, signal);
      this.options.say(clientId, { type: 'data-scattered', ...data });
      return answer;
    });
    if (outcome.error !== undefined) throw fromRemoteError(outcome.error);
    if (outcome.state === 'forgotten') throw closedMeanwhile(clientId);
  }

  /** What the scheduler just said to this client. */
  notify(clientId: ClientId, message: SchedulerToClient): void {
    this.#keyWaiters.notify(clientId, message);
    this.#submissionWaiters.notify(clientId, message);
  }

  /** The client does not want these keys any more, so nothing more will be said of them. */
  keysLetGo(clientId: ClientId, keys: readonly TaskKey[]): void {
    for (const key of keys) this.#keyWaiters.forget(clientId, key);
  }

  clientForgotten(clientId: ClientId): void {
    this.options.presence.forget(clientId);
    this.#keyWaiters.forgetClient(clientId);
    this.#submissionWaiters.forgetClient(clientId, closedMeanwhile(clientId));
  }
}

const closedMeanwhile = (clientId: ClientId): FutureCancelledError =>
  new FutureCancelledError(
    `Client ${clientId} was closed, or let go of the key, while this call was under way.`,
  );
