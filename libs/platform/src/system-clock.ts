import { performance } from 'node:perf_hooks';
import type { Clock } from '@spillway/ports';

/** The time of day at start plus the monotonic clock since: it never goes back, whatever happens to the time of day. */
export const systemClock: Clock = { nowMs: () => performance.timeOrigin + performance.now() };
