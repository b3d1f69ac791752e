import type { ClientId, SubmissionId } from '@spillway/kernel';
import { fromRemoteError, type SchedulerToClient } from '@spillway/messages';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Calls of clients without a control stream that wait for their graph to be accepted or refused. */
export class SubmissionWaiters {
  readonly #waiters = new Map<string, Waiter[]>();

  wait(clientId: ClientId, submissionId: SubmissionId): Promise<void> {
    return new Promise((resolve, reject) => {
      const name = `${clientId} ${submissionId}`;
      const waiters = this.#waiters.get(name) ?? [];
      this.#waiters.set(name, [...waiters, { resolve, reject }]);
    });
  }

  notify(clientId: ClientId, message: SchedulerToClient): void {
    if (message.type !== 'graph-accepted' && message.type !== 'graph-refused') return;
    const name = `${clientId} ${message.submissionId}`;
    const waiters = this.#waiters.get(name) ?? [];
    this.#waiters.delete(name);
    for (const waiter of waiters)
      if (message.type === 'graph-accepted') waiter.resolve();
      else waiter.reject(fromRemoteError(message.error));
  }
}
