import type { WorkerId } from '@spillway/kernel';
import type { RetirementReport, WorkerInfo } from '@spillway/messages';
import type { Timers } from '@spillway/ports';

const TOLD_EVERY_MS = 1_000;

/** Who listens to one call for retirement. */
interface Call {
  readonly reports: Map<WorkerId, RetirementReport>;
  readonly open: Set<WorkerId>;
  wake: () => void;
}

/** Calls that follow workers which retire: how far they have come, each second, and how each of them ended. */
export class Retirements {
  readonly #calls = new Set<Call>();

  constructor(
    private readonly timers: Timers,
    private readonly progressOf: (workerId: WorkerId) => RetirementReport | undefined,
  ) {}

  /** Begins at once, with `begin`, whether or not anybody iterates. The last batch has how each of the workers ended. */
  follow(
    workers: readonly Pick<WorkerInfo, 'workerId' | 'name'>[],
    signal: AbortSignal,
    begin: () => void,
  ): AsyncIterable<readonly RetirementReport[]> {
    const call: Call = { reports: new Map(), open: new Set(), wake: () => undefined };
    for (const { workerId } of workers) call.open.add(workerId);
    this.#calls.add(call);
    begin();
    return this.#tell(call, signal);
  }

  ended(report: RetirementReport): void {
    for (const call of this.#calls) {
      if (!call.open.delete(report.workerId)) continue;
      call.reports.set(report.workerId, report);
      call.wake();
    }
  }

  async *#tell(call: Call, signal: AbortSignal): AsyncGenerator<readonly RetirementReport[]> {
    const abort = (): void => call.wake();
    signal.addEventListener('abort', abort, { once: true });
    try {
      while (!signal.aborted) {
        for (const workerId of call.open) {
          const progress = this.progressOf(workerId);
          if (progress !== undefined) call.reports.set(workerId, progress);
        }
        const isOver = call.open.size === 0;
        yield [...call.reports.values()];
        if (isOver) return;
        await this.#turnOf(call);
      }
    } finally {
      signal.removeEventListener('abort', abort);
      this.#calls.delete(call);
    }
  }

  /** Until a worker ends, or a second has passed. */
  #turnOf(call: Call): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.timers.after(TOLD_EVERY_MS, () => call.wake());
      call.wake = () => {
        timer.cancel();
        resolve();
      };
      // It ended, or nobody listens any more, while the batch before was being taken.
      if (call.open.size === 0) call.wake();
    });
  }
}
