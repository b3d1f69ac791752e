import type { Cancellable, Clock, Timers } from '@spillway/ports';
import type { BusyWith, GrowthWatch } from '@spillway/worker-memory';
import type { WorkerRuntime } from './worker-runtime.js';

export interface GrowthMonitorOptions {
  readonly runtime: WorkerRuntime;
  readonly watch: GrowthWatch;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly intervalMs: number;
  readonly processBytes: () => number;
  /** What each slot executes at this moment. */
  readonly busyWith: (nowMs: number) => readonly BusyWith[];
  /** Has what nobody holds any more given back. */
  readonly reclaim: () => void;
}

/** Samples process memory on the control loop, which no task can block, and ends the task that runs away. */
export function monitorGrowth(options: GrowthMonitorOptions): Cancellable {
  const { runtime, watch, clock, timers, intervalMs } = options;
  return timers.every(intervalMs, () => {
    const nowMs = clock.nowMs();
    const processBytes = options.processBytes();
    const verdict = watch.sample(processBytes, options.busyWith(nowMs), nowMs);
    const { limitBytes } = watch;
    if (verdict === undefined || limitBytes === false) return;
    if (verdict.type === 'reclaim') {
      options.reclaim();
      return;
    }
    const stimulusId = runtime.stimulus('runaway-growth');
    runtime.dispatch({ type: 'runaway-growth', stimulusId, slot: verdict.slot, processBytes, limitBytes });
  });
}
