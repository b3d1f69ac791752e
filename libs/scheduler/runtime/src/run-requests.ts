import { must, type StimulusId, type WorkerId } from '@spillway/kernel';
import { remoteError, type RunOutcome, type RunRequest, type SchedulerToWorker } from '@spillway/messages';

type Send = (workerId: WorkerId, message: SchedulerToWorker) => void;

/** Functions being run on workers outside scheduling (`client.run`): who asked, and who has not answered yet. */
export class RunRequests {
  readonly #pending = new Map<
    number,
    { readonly workerId: WorkerId; readonly settle: (outcome: RunOutcome) => void }
  >();
  #requestCount = 0;

  constructor(private readonly send: Send) {}

  /** Resolves with the outcome on one worker; a worker that is lost meanwhile is a failure, never a hang. */
  run(
    workerId: WorkerId,
    request: RunRequest,
    stimulusId: StimulusId,
    signal: AbortSignal,
  ): Promise<RunOutcome> {
    const requestId = ++this.#requestCount;
    return new Promise((resolve) => {
      const giveUp = (): void => this.settle(requestId, cancelled());
      this.#pending.set(requestId, {
        workerId,
        settle: (outcome) => {
          signal.removeEventListener('abort', giveUp);
          resolve(outcome);
        },
      });
      signal.addEventListener('abort', giveUp, { once: true });
      if (signal.aborted) giveUp();
      else this.send(workerId, { type: 'run-function', stimulusId, requestId, request });
    });
  }

  settle(requestId: number, outcome: RunOutcome): void {
    const pending = this.#pending.get(requestId);
    this.#pending.delete(requestId);
    pending?.settle(outcome);
  }

  workerLost(workerId: WorkerId): void {
    for (const requestId of [...this.#pending.keys()])
      if (must(this.#pending.get(requestId), 'run request').workerId === workerId)
        this.settle(requestId, {
          type: 'run-failure',
          error: remoteError('KILLED_WORKER', `Worker ${workerId} was lost while it ran the function.`, {
            workerId,
          }),
        });
  }
}

const cancelled = (): RunOutcome => ({
  type: 'run-failure',
  error: remoteError('FUTURE_CANCELLED', 'The call that asked for this run was cancelled.'),
});
