/** Finds what a test leaves open: sockets, servers, timers, threads, child processes. */
import { setImmediate } from 'node:timers/promises';

/** Reads of files end by themselves and are nobody's to close. */
const PASSING = new Set(['FSReqCallback', 'FSReqPromise', 'Immediate', 'TickObject', 'GetAddrInfoReqWrap']);

/** Closed things go away some turns of the loop later, threads only once they have ended. */
const SETTLE_MS_MAX = 2000;

type Counts = ReadonlyMap<string, number>;

function openResources(): Counts {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) {
    if (!PASSING.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

function addedSince(before: Counts, ignored: ReadonlySet<string>): string[] {
  return [...openResources()].flatMap(([name, count]) => {
    const more = count - (before.get(name) ?? 0);
    return more > 0 && !ignored.has(name) ? [`${more} × ${name}`] : [];
  });
}

export interface LeakCheck {
  /** Resolves when everything opened since is closed; rejects, naming what is not, when it does not go away. */
  expectNothingLeft(): Promise<void>;
}

export interface LeakOptions {
  /** Names of `process.getActiveResourcesInfo()`, for what a library keeps on purpose. */
  readonly ignore?: readonly string[];
  /** How long what is closing may take to be gone; only a leak waits for so long. */
  readonly settleMsMax?: number;
}

/** Remembers what is open now. */
export function watchLeaks(options: LeakOptions = {}): LeakCheck {
  const before = openResources();
  const ignored = new Set(options.ignore);
  return {
    async expectNothingLeft() {
      const deadlineMs = performance.now() + (options.settleMsMax ?? SETTLE_MS_MAX);
      let left = addedSince(before, ignored);
      while (left.length > 0 && performance.now() < deadlineMs) {
        await setImmediate();
        left = addedSince(before, ignored);
      }
      if (left.length > 0) throw new Error(`Left open: ${left.join(', ')}`);
    },
  };
}
