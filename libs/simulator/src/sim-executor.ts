import type { SeededRandom } from '@spillway/kernel';
import { type RunId, type TaskKey } from '@spillway/kernel';
import { remoteError, type RunOutcome } from '@spillway/messages';
import type {
  Execution,
  ExecutionOutcome,
  StopReason,
  TaskExecutor,
  TaskExecutorListener,
  Timers,
} from '@spillway/ports';
import { digestIn, valueOf } from './sim-value.js';
import { behaviourOf } from './workload.js';

interface Queued {
  readonly execution: Execution;
  stopping: StopReason | undefined;
}

/** Runs tasks by letting time pass. Each slot has a queue; its head takes a random while and does what its name says. */
export class SimExecutor implements TaskExecutor {
  readonly #slots: Queued[][];

  constructor(
    readonly slotCount: number,
    private readonly timers: Timers,
    private readonly random: SeededRandom,
    private readonly listener: TaskExecutorListener,
    private readonly onExecuted: (key: TaskKey, attempt: number, inputBytes: number) => void,
  ) {
    this.#slots = Array.from({ length: slotCount }, () => []);
  }

  execute(execution: Execution): void {
    const queue = this.#slots[execution.slot]!;
    queue.push({ execution, stopping: undefined });
    if (queue.length === 1) this.#begin(queue);
  }

  stop(slot: number, key: TaskKey, runId: RunId, reason: StopReason): void {
    const queue = this.#slots[slot]!;
    const index = queue.findIndex(({ execution }) => execution.key === key && execution.runId === runId);
    const found = queue[index];
    if (found === undefined || found.stopping !== undefined) return;
    found.stopping = reason;
    if (index > 0) {
      queue.splice(index, 1);
      this.timers.soon(() => this.#report(found, { type: 'execute-stopped', reason, started: false }));
      return;
    }
    // The thread ends after a moment, unless the task is done first; what stood behind it lost its thread.
    this.timers.after(this.random.next() * 200, () => {
      if (queue[0] !== found) return;
      const behind = queue.splice(0).slice(1);
      this.#report(found, { type: 'execute-stopped', reason, started: true });
      for (const queued of behind)
        this.#report(queued, { type: 'execute-stopped', reason: 'thread-ended', started: false });
    });
  }

  runAside(): Promise<RunOutcome> {
    return Promise.resolve({
      type: 'run-failure',
      error: remoteError('FUNCTION_NOT_FOUND', 'Not simulated.'),
    });
  }

  unloadModules(): void {
    // Simulated functions have no modules.
  }

  readonly heapUnusedBytes = 0;
  readonly cachedBytes = 0;

  collectGarbage(): Promise<void> {
    return Promise.resolve();
  }

  dropCachedCopies(): Promise<void> {
    return Promise.resolve();
  }

  forgetCopies(): void {
    // Simulated threads decode nothing.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #begin(queue: Queued[]): void {
    const head = queue[0];
    if (head === undefined) return;
    const { durationMs } = behaviourOf(head.execution.function);
    const takesMs = durationMs * (0.5 + this.random.next());
    this.timers.after(takesMs, () => {
      if (queue[0] !== head) return;
      queue.shift();
      this.#finish(head, takesMs);
      this.#begin(queue);
    });
  }

  #finish(queued: Queued, durationMs: number): void {
    const { execution } = queued;
    const { sizeBytes, failuresCount } = behaviourOf(execution.function);
    this.onExecuted(
      execution.key,
      execution.attempt,
      execution.inputs.reduce((sum, { data }) => sum + data.byteLength, 0),
    );
    if (execution.attempt <= failuresCount) {
      const error = remoteError(
        'TASK_FAILED',
        `Attempt ${execution.attempt} of ${execution.key} was meant to fail.`,
      );
      this.#report(queued, { type: 'execute-failure', error, mayRetry: true });
      return;
    }
    const result = valueOf(execution.key, execution.inputs.map(digestIn), sizeBytes);
    this.#report(queued, { type: 'execute-success', result, durationMs });
  }

  #report({ execution: { slot, key, runId } }: Queued, how: OutcomeBody): void {
    this.listener.onOutcomes([{ slot, key, runId, ...how }]);
  }
}

type OutcomeBody = ExecutionOutcome extends infer Outcome
  ? Outcome extends ExecutionOutcome
    ? Omit<Outcome, 'slot' | 'key' | 'runId'>
    : never
  : never;
