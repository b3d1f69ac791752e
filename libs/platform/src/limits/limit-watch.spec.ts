import type { Timers } from '@spillway/ports';
import { GiB, machine, treeOf, v2 } from './fixture-trees.spec-d.js';
import { LimitWatch, type MemoryLimitReading } from './limit-watch.js';
import { thisMachine } from './machine.js';
import { resolveMemoryLimit, type WrittenMemoryLimit } from './memory-limit.js';

const MAX = '/sys/fs/cgroup/memory.max';

/** A container whose limit the test changes, and a timer that the test fires. */
class Container {
  readonly files: Record<string, string | undefined>;
  readonly changes: (readonly [now: number | false, before: number | false])[] = [];
  readonly watch: LimitWatch;
  intervals: number[] = [];
  #tick: (() => void) | undefined;

  constructor(
    written: WrittenMemoryLimit,
    { maxBytes, intervalMs = 5000 }: { maxBytes: number; intervalMs?: number | false },
  ) {
    this.files = { ...machine, ...v2('/'), [MAX]: `${maxBytes}\n` };
    this.watch = new LimitWatch({
      timers: this.#timers(),
      intervalMs,
      first: this.#read(written),
      read: () => this.#read(written),
      onChanged: (now, before) => this.changes.push([now.limitBytes, before.limitBytes]),
    });
  }

  resize(maxBytes: number | undefined): void {
    this.files[MAX] = maxBytes === undefined ? undefined : `${maxBytes}\n`;
    this.#tick?.();
  }

  #read(written: WrittenMemoryLimit): MemoryLimitReading {
    const found = thisMachine(treeOf(this.files));
    const sharing = { ...found, workers: 2, nthreads: 1, nannyReserveBytes: 0 };
    return { ...resolveMemoryLimit(written, sharing), machine: found };
  }

  #timers(): Timers {
    const unused = (): never => {
      throw new Error('not to be used');
    };
    return {
      after: unused,
      soon: unused,
      every: (intervalMs, call) => {
        this.intervals.push(intervalMs);
        this.#tick = call;
        return { cancel: () => (this.#tick = undefined) };
      },
    };
  }
}

test('a container that is made smaller or larger is heard of, with the limit before', () => {
  const container = new Container({ kind: 'auto' }, { maxBytes: 4 * GiB });
  expect(container.intervals).toEqual([5000]);
  container.resize(2 * GiB);
  container.resize(6 * GiB);
  expect(container.changes).toEqual([
    [1 * GiB, 2 * GiB],
    [3 * GiB, 1 * GiB],
  ]);
  expect(container.watch.current.limitBytes).toBe(3 * GiB);
});

test('a look that finds the same says nothing', () => {
  const container = new Container({ kind: 'auto' }, { maxBytes: 4 * GiB });
  container.resize(4 * GiB);
  expect(container.changes).toEqual([]);
});

test('bytes that were written give way to a smaller container, and come back with a larger one', () => {
  const container = new Container({ kind: 'bytes', bytes: 2 * GiB }, { maxBytes: 4 * GiB });
  container.resize(8 * GiB);
  container.resize(1 * GiB);
  expect(container.watch.current.warning?.kind).toBe('clamped');
  container.resize(4 * GiB);
  expect(container.changes).toEqual([
    [1 * GiB, 2 * GiB],
    [2 * GiB, 1 * GiB],
  ]);
  expect(container.watch.current.warning).toBeUndefined();
});

test('a limit that goes away leaves the machine', () => {
  const container = new Container({ kind: 'fraction', fraction: 0.5 }, { maxBytes: 4 * GiB });
  container.resize(undefined);
  expect(container.changes).toEqual([[8 * GiB, 2 * GiB]]);
});

test('no limit stays no limit, and nothing is looked at', () => {
  expect(new Container({ kind: 'off' }, { maxBytes: 4 * GiB }).intervals).toEqual([]);
});

test('turned off, it is read once', () => {
  const container = new Container({ kind: 'auto' }, { maxBytes: 4 * GiB, intervalMs: false });
  expect(container.intervals).toEqual([]);
  expect(container.watch.current.limitBytes).toBe(2 * GiB);
});

test('after cancel nothing is told', () => {
  const container = new Container({ kind: 'auto' }, { maxBytes: 4 * GiB });
  container.watch.cancel();
  container.resize(2 * GiB);
  expect(container.changes).toEqual([]);
});
