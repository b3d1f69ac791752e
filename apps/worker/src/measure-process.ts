import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { WorkerMetrics } from '@spillway/messages';

const NANOSECONDS_PER_MS = 1e6;
const MICROSECONDS_PER_MS = 1e3;
const RESOLUTION_MS = 10;

/** Readings of this process for heartbeats; shares and delays are of the time since the reading before. */
export function measureProcess(managedBytes: () => number): {
  readonly read: () => Omit<WorkerMetrics, 'executing'>;
  readonly stop: () => void;
} {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  let lastCpu = process.cpuUsage();
  let lastMs = performance.now();
  return {
    read: () => {
      const cpu = process.cpuUsage(lastCpu);
      const nowMs = performance.now();
      const cpuFraction = (cpu.user + cpu.system) / MICROSECONDS_PER_MS / Math.max(1, nowMs - lastMs);
      const loopDelayMs = delays.count === 0 ? 0 : delays.percentile(99) / NANOSECONDS_PER_MS;
      lastCpu = process.cpuUsage();
      lastMs = nowMs;
      delays.reset();
      return {
        processBytes: process.memoryUsage.rss(),
        managedBytes: managedBytes(),
        cpuFraction,
        loopDelayMs,
      };
    },
    stop: () => {
      delays.disable();
    },
  };
}
