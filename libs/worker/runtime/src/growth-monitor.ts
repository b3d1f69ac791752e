import type { Cancellable, Timers } from '@spillway/ports';
import type { GrowthWatch } from '@spillway/worker-memory';
import type { WorkerRuntime } from './worker-runtime.js';

export interface GrowthMonitorOptions {
  readonly runtime: WorkerRuntime;
  readonly watch: GrowthWatch;
  readonly timers: Timers;
  readonly intervalMs: number;
  readonly limitBytes: number | false;
  readonly processBytes: () => number;
  /** The run each slot executes now. */
  readonly busyWith: () => readonly (number | undefined)[];
}

/** Samples process memory on the control loop, which no task can block, and ends the task that runs away. */
export function monitorGrowth(options: GrowthMonitorOptions): Cancellable {
  const { runtime, watch, timers, intervalMs, limitBytes } = options;
  return timers.every(intervalMs, () => {
    const processBytes = options.processBytes();
    const slot = watch.sample(processBytes, options.busyWith());
    if (slot === undefined || limitBytes === false) return;
    const stimulusId = runtime.stimulus('runaway-growth');
    runtime.dispatch({ type: 'runaway-growth', stimulusId, slot, processBytes, limitBytes });
  });
}
