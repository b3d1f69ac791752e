import type { ClientId, SubmissionId } from '@spillway/kernel';
import { fromRemoteError, type SchedulerToClient } from '@spillway/messages';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Calls of clients without a control stream that wait for their graph to be accepted or refused. */
export class SubmissionWaiters {
  readonly #waiters = new Map<ClientId, Map<SubmissionId, Waiter[]>>();

  wait(clientId: ClientId, submissionId: SubmissionId): Promise<void> {
    return new Promise((resolve, reject) => {
      const ofClient = this.#waiters.get(clientId) ?? new Map<SubmissionId, Waiter[]>();
      this.#waiters.set(clientId, ofClient);
      const waiters = ofClient.get(submissionId) ?? [];
      waiters.push({ resolve, reject });
      ofClient.set(submissionId, waiters);
    });
  }

  notify(clientId: ClientId, message: SchedulerToClient): void {
    if (message.type !== 'graph-accepted' && message.type !== 'graph-refused') return;
    const ofClient = this.#waiters.get(clientId);
    const waiters = ofClient?.get(message.submissionId);
    if (ofClient === undefined || waiters === undefined) return;
    ofClient.delete(message.submissionId);
    if (ofClient.size === 0) this.#waiters.delete(clientId);
    for (const waiter of waiters)
      if (message.type === 'graph-accepted') waiter.resolve();
      else waiter.reject(fromRemoteError(message.error));
  }

  /** Nobody will be told what became of its graphs. */
  forgetClient(clientId: ClientId, error: Error): void {
    const ofClient = this.#waiters.get(clientId);
    this.#waiters.delete(clientId);
    for (const waiters of ofClient?.values() ?? []) for (const { reject } of waiters) reject(error);
  }
}
