import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { percentile } from './statistics.js';
import type { Figure } from './bench.js';

const RESOLUTION_MS = 1;

/** Watches this thread's loop from now on; what it returns stops that and gives the figure. */
export function watchLoop(): (what: string) => Figure {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const ownMs: number[] = [];
  let [lastMs, lastWaitedMs] = [performance.now(), waitedMs()];
  const timer = setInterval(() => {
    const [nowMs, nowWaitedMs] = [performance.now(), waitedMs()];
    ownMs.push(lateMs(nowMs - lastMs - (nowWaitedMs - lastWaitedMs)));
    [lastMs, lastWaitedMs] = [nowMs, nowWaitedMs];
  }, RESOLUTION_MS);
  return (what) => {
    histogram.disable();
    clearInterval(timer);
    const [p50, p99, max] = [histogram.percentile(50), histogram.percentile(99), histogram.max].map(
      (nanoseconds) => lateMs(nanoseconds / 1e6),
    ) as [number, number, number];
    const own = percentile(ownMs, 0.99).toFixed(2);
    return {
      what: `loop delay p99, ${what}`,
      value: p99,
      unit: 'ms',
      how: `p50 ${p50.toFixed(2)}, max ${max.toFixed(1)}; p99 without waiting for a processor ${own}`,
    };
  };
}

/** The time between two looks is known, and includes what lies between them when nothing is late. */
const lateMs = (betweenMs: number): number => Math.max(0, betweenMs - RESOLUTION_MS);

/** How long the main thread was ready to run and had no processor, since it started; 0 where that cannot be told. */
function waitedMs(): number {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}
