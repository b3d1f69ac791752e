import type { Timers } from '@spillway/ports';

/** Node's timers. None of them keeps a process alive by itself: links and servers do. */
export const systemTimers: Timers = {
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  every(intervalMs, call) {
    const timer = setInterval(call, intervalMs);
    timer.unref();
    return { cancel: () => clearInterval(timer) };
  },
  soon(call) {
    setImmediate(call);
  },
};
