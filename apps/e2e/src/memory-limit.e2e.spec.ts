import { totalmem } from 'node:os';
import type { LocalCluster } from '@spillway/client';
import { startCluster } from './clusters.js';
import type * as Heaps from './fixtures/heaps.tasks.js';

/** What workers may use, and what their heaps are capped at, in real processes. */
const HEAPS_URL = new URL('./fixtures/heaps.tasks.ts', import.meta.url);
const MiB = 2 ** 20;
/** V8's young space, which comes on top of the old one that is capped. */
const YOUNG_BYTES_MAX = 48 * MiB;

interface ReadyLine {
  readonly event?: string;
  readonly mainOldSpaceBytes: number;
  readonly threadOldSpaceBytes: number;
  readonly mainHeapMaxBytes: number;
}

const readyLines = (log: string): ReadyLine[] =>
  log
    .split('\n')
    .filter((line) => line.includes('"worker.ready"') && line.includes('threadOldSpaceBytes'))
    .map((line) => JSON.parse(line) as ReadyLine);

const limitsOf = async (cluster: LocalCluster): Promise<(number | false)[]> => {
  await using client = await cluster.connect();
  return (await client.workers()).map((worker) => worker.memoryLimitBytes);
};

test('the heaps of a worker are capped by its limit: that of the main isolate, and those of its threads', async () => {
  let log = '';
  await using cluster = await startCluster({
    workers: 1,
    nthreads: 2,
    memoryLimit: '384 MiB',
    logLevel: 'info',
    onLog: (text) => (log += text),
  });
  await using client = await cluster.connect();
  const heaps = await client.load<typeof Heaps>(HEAPS_URL);
  const [ready] = readyLines(log);

  expect(ready).toMatchObject({ mainOldSpaceBytes: 192 * MiB, threadOldSpaceBytes: 278 * MiB });
  expect(ready!.mainHeapMaxBytes).toBeGreaterThanOrEqual(192 * MiB);
  expect(ready!.mainHeapMaxBytes).toBeLessThanOrEqual(192 * MiB + YOUNG_BYTES_MAX);
  const ofThread = await client.submit(heaps.heapMaxBytes).result();
  expect(ofThread).toBeGreaterThanOrEqual(278 * MiB);
  expect(ofThread).toBeLessThanOrEqual(278 * MiB + YOUNG_BYTES_MAX);

  // Whoever comes first, the watch over process memory or the cap: the task ends, the worker does not.
  expect(await client.submit(heaps.fillHeap).exception()).toMatchObject({ code: 'TASK_OUT_OF_MEMORY' });
  expect(log).not.toContain('worker.exited');
}, 60_000);

test('without a limit heaps are capped all the same, by what there is', async () => {
  let log = '';
  await using cluster = await startCluster({
    workers: 1,
    memoryLimit: 'none',
    logLevel: 'info',
    onLog: (text) => (log += text),
  });
  await using client = await cluster.connect();
  const heaps = await client.load<typeof Heaps>(HEAPS_URL);
  expect(await limitsOf(cluster)).toEqual([false]);
  const [ready] = readyLines(log);
  expect(ready!.threadOldSpaceBytes).toBeLessThanOrEqual(totalmem());
  const ofThread = await client.submit(heaps.heapMaxBytes).result();
  expect(ofThread).toBeGreaterThanOrEqual(ready!.threadOldSpaceBytes);
  expect(ofThread).toBeLessThanOrEqual(ready!.threadOldSpaceBytes + YOUNG_BYTES_MAX);
}, 60_000);

test('auto never promises more than there is, also when several nannies share the machine', async () => {
  for (const nannies of [1, 2]) {
    await using cluster = await startCluster({ workers: 3, nannies, memoryLimit: 'auto' });
    const limits = (await limitsOf(cluster)).map(Number);
    expect(limits).toHaveLength(3);
    expect(limits.reduce((sum, bytes) => sum + bytes)).toBeLessThanOrEqual(totalmem());
    expect(Math.min(...limits)).toBeGreaterThan(0);
  }
}, 60_000);

test('more than there is comes to what there is, with a warning', async () => {
  let log = '';
  await using cluster = await startCluster({
    workers: 1,
    memoryLimit: '1 PB',
    onLog: (text) => (log += text),
  });
  const [limitBytes] = await limitsOf(cluster);
  expect(limitBytes).toBeLessThanOrEqual(totalmem());
  expect(log).toContain('memory.limit-warning');
  expect(log).toContain('is more than there is');
}, 60_000);
