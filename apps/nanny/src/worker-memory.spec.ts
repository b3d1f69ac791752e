import { loadConfig, optionsSource } from '@spillway/config';
import type { Machine, MemoryLimitReading } from '@spillway/platform';
import type { Logger, Timers } from '@spillway/ports';
import { readWorkerLimit, WorkersMemory } from './worker-memory.js';

const MiB = 2 ** 20;
const container: Machine = {
  totalBytes: 768 * MiB,
  cores: 8,
  isCgroupLimited: true,
  decidedBy: '/sys/fs/cgroup/memory.max',
};
const machine: Machine = {
  totalBytes: 64 * 1024 * MiB,
  cores: 8,
  isCgroupLimited: false,
  decidedBy: '/proc/meminfo MemTotal',
};

const settings = (limit: string, workers = 2, nanny: object = {}) =>
  loadConfig([optionsSource({ nanny: { workers, ...nanny }, worker: { memory: { limit } } })]);
const limitOf = (...args: Parameters<typeof readWorkerLimit>): number | false =>
  readWorkerLimit(...args).limitBytes;

test('the workers of a container share what the nanny and its health check leave, whatever cores there are', () => {
  expect(limitOf(settings('auto'), container)).toBe(((768 - 128) / 2) * MiB);
  expect(limitOf(settings('auto', 4), container)).toBe(((768 - 128) / 4) * MiB);
});

test('a very small container still leaves its workers half', () => {
  expect(limitOf(settings('auto', 1), { ...container, totalBytes: 128 * MiB })).toBe(64 * MiB);
});

test('on a whole machine the workers have the share of their threads, of what the nanny leaves', () => {
  expect(limitOf(settings('auto'), machine)).toBe((machine.totalBytes - 128 * MiB) / 8);
  expect(limitOf(settings('auto', 16), machine)).toBe((machine.totalBytes - 128 * MiB) / 16);
});

test('what was written is taken as it stands', () => {
  expect(limitOf(settings('300MiB'), container)).toBe(300 * MiB);
  expect(limitOf(settings('0.25', 2, { 'memory-share': 0.5 }), container)).toBe(192 * MiB);
  expect(limitOf(settings('none'), container)).toBe(false);
});

test('nannies that share a machine never promise their workers more than there is, however these are spread', () => {
  for (const shared of [machine, container])
    for (const counts of [
      [1, 1],
      [2, 3],
      [4, 4, 4],
      [16, 1],
    ]) {
      const workers = counts.reduce((sum, count) => sum + count);
      const promised = counts.map((count) => {
        const share = { 'memory-share': count / workers };
        return count * Number(limitOf(settings('auto', count, share), shared));
      });
      expect(promised.reduce((sum, bytes) => sum + bytes)).toBeLessThanOrEqual(shared.totalBytes);
    }
});

/** A nanny's workers in a container that the test resizes. */
class Resized {
  readonly told: (number | false)[] = [];
  readonly logged: string[] = [];
  readonly memory: WorkersMemory;
  #totalBytes = container.totalBytes;
  #tick: (() => void) | undefined;

  constructor(readonly config = settings('auto')) {
    this.memory = new WorkersMemory({
      config,
      timers: this.#timers(),
      logger: this.#logger(),
      onChanged: (limitBytes) => this.told.push(limitBytes),
      read: () => this.#read(),
    });
  }

  resize(totalBytes: number): void {
    this.#totalBytes = totalBytes;
    this.#tick?.();
  }

  #read(): MemoryLimitReading {
    return readWorkerLimit(this.config, { ...container, totalBytes: this.#totalBytes });
  }

  #timers(): Timers {
    const unused = (): never => {
      throw new Error('not to be used');
    };
    const every: Timers['every'] = (_intervalMs, call) => {
      this.#tick = call;
      return { cancel: () => (this.#tick = undefined) };
    };
    return { after: unused, soon: unused, every };
  }

  #logger(): Logger {
    const log: Logger['info'] = ({ event }, text) => this.logged.push(`${event}: ${text}`);
    return { debug: log, info: log, warn: log, error: log, child: () => this.#logger() };
  }
}

test('a resized container is told, and the next ones start with the new limit', () => {
  const resized = new Resized();
  expect(resized.memory.setting).toBe(`${320 * MiB} B`);
  expect(resized.memory.execArgv).toEqual(['--max-old-space-size=160']);

  resized.resize((1024 + 128) * MiB);

  expect(resized.told).toEqual([512 * MiB]);
  expect(resized.memory.setting).toBe(`${512 * MiB} B`);
  expect(resized.memory.execArgv).toEqual(['--max-old-space-size=256']);
});

test('the log has the limit, what there is and which file says so, at the start and at each change', () => {
  const resized = new Resized();
  resized.resize((1024 + 128) * MiB);
  expect(resized.logged).toEqual([
    'memory.limit: each of 2 workers has memory limit 320 MiB (there are 768 MiB, by /sys/fs/cgroup/memory.max)',
    'memory.limit-changed: each of 2 workers has memory limit 512 MiB (there are 1.13 GiB, by /sys/fs/cgroup/memory.max)',
  ]);
});

test('a limit above what there is is said to be, at the start and when the container shrinks', () => {
  const resized = new Resized(settings('2 GiB', 1));
  expect(resized.memory.setting).toBe(`${768 * MiB} B`);
  resized.resize(512 * MiB);
  expect(resized.logged.filter((line) => line.startsWith('memory.limit-warning'))).toEqual([
    expect.stringContaining('(2 GiB) is more than there is, so it is 768 MiB'),
    expect.stringContaining('(2 GiB) is more than there is, so it is 512 MiB'),
  ]);
});

test('without a limit the heaps are capped by what there is', () => {
  const resized = new Resized(settings('none'));
  expect(resized.memory.setting).toBe('none');
  expect(resized.memory.execArgv).toEqual(['--max-old-space-size=384']);
});

test('after cancel nobody is told', () => {
  const resized = new Resized();
  resized.memory.cancel();
  resized.resize(512 * MiB);
  expect(resized.told).toEqual([]);
});
