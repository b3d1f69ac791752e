import type { Cancellable, Clock, OwnMemoryReader, Timers } from '@spillway/ports';
import type { BusyWith, GrowthWatch } from '@spillway/worker-memory';

export interface GrowthMonitorOptions {
  readonly growthWatch: GrowthWatch;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly ownMemory: OwnMemoryReader;
  /** `worker.memory.monitor-interval`: samples come at least this often. */
  readonly monitorIntervalMs: number;
}

/** Who runs away is to be told to these. */
export interface GrowthActors {
  readonly busyWith: () => readonly BusyWith[];
  readonly collectGarbage: () => void;
  readonly endTask: (slot: number, processBytes: number, limitBytes: number) => void;
}

/**
 * Before process memory ends the worker, the task that most likely drives it is ended. Between the samples of the monitor
 * it looks again as soon as the growth watch asks for it.
 */
export class GrowthMonitor {
  #next: Cancellable | undefined;

  constructor(
    private readonly options: GrowthMonitorOptions,
    private readonly actors: GrowthActors,
  ) {}

  onSample(processBytes: number, busyWith: readonly BusyWith[]): void {
    const { growthWatch, clock, timers, monitorIntervalMs } = this.options;
    const verdict = growthWatch.sample(processBytes, busyWith, clock.nowMs());
    const { limitBytes } = growthWatch;
    if (verdict?.type === 'reclaim') this.actors.collectGarbage();
    else if (verdict?.type === 'end-task' && limitBytes !== false)
      this.actors.endTask(verdict.slot, processBytes, limitBytes);
    this.stop();
    const nextMs = growthWatch.nextLookMs(monitorIntervalMs);
    // At the interval the next sample comes by itself.
    if (nextMs < monitorIntervalMs) this.#next = timers.after(nextMs, () => this.#look());
  }

  stop(): void {
    this.#next?.cancel();
    this.#next = undefined;
  }

  #look(): void {
    this.onSample(this.options.ownMemory.read().processBytes, this.actors.busyWith());
  }
}
