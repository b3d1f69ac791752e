import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import type { LoopDelayReport, WorkerMetrics } from '@spillway/messages';

const NANOSECONDS_PER_MS = 1e6;
const MICROSECONDS_PER_MS = 1e3;
const RESOLUTION_MS = 10;

/** Readings of this process, its memory aside. */
export interface ProcessMeasure {
  /** For heartbeats: of the time since the heartbeat before. */
  readonly read: () => Pick<WorkerMetrics, 'cpuFraction' | 'loopDelayMs'>;
  /** Of the time since this was asked last. */
  readonly loopDelay: () => LoopDelayReport;
  readonly stop: () => void;
}

export function measureProcess(): ProcessMeasure {
  const [sinceHeartbeat, sinceAsked] = [startedHistogram(), startedHistogram()];
  let lastCpu = process.cpuUsage();
  let lastMs = performance.now();
  return {
    read: () => {
      const cpu = process.cpuUsage(lastCpu);
      const nowMs = performance.now();
      const cpuFraction = (cpu.user + cpu.system) / MICROSECONDS_PER_MS / Math.max(1, nowMs - lastMs);
      const loopDelayMs = percentileMs(sinceHeartbeat, 99);
      lastCpu = process.cpuUsage();
      lastMs = nowMs;
      sinceHeartbeat.reset();
      return { cpuFraction, loopDelayMs };
    },
    loopDelay: () => {
      const report = {
        p50Ms: percentileMs(sinceAsked, 50),
        p99Ms: percentileMs(sinceAsked, 99),
        maxMs: percentileMs(sinceAsked, 100),
      };
      sinceAsked.reset();
      return report;
    },
    stop: () => {
      sinceHeartbeat.disable();
      sinceAsked.disable();
    },
  };
}

function startedHistogram(): IntervalHistogram {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return histogram;
}

/** What is late beyond the time that the timer itself takes. */
function percentileMs(histogram: IntervalHistogram, percent: number): number {
  if (histogram.count === 0) return 0;
  return Math.max(0, histogram.percentile(percent) / NANOSECONDS_PER_MS - RESOLUTION_MS);
}
