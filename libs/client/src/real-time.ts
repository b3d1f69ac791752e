/** Node's clock and timers behind the ports: what a client is built with outside of tests. */
import type { Clock, Timers } from '@spillway/ports';

const startedAtMs = performance.timeOrigin;

export const realClock: Clock = { nowMs: () => startedAtMs + performance.now() };

export const realTimers: Timers = {
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  every: (intervalMs, call) => {
    const timer = setInterval(call, intervalMs);
    return { cancel: () => clearInterval(timer) };
  },
  soon: (call) => {
    setImmediate(call);
  },
};
