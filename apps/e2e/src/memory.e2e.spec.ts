/** Real processes, real disk, real memory: what workers do when values, or tasks, are larger than their memory. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client, Future } from '@spillway/client';
import { TempFolder } from '@spillway/testkit';
import { startCluster } from './clusters.js';
import type * as Memory from './fixtures/memory.tasks.js';
import { until } from './testing/processes.js';

const TASKS_URL = new URL('./fixtures/memory.tasks.ts', import.meta.url);
const MiB = 2 ** 20;
const LIMIT = 256 * MiB;
const VALUE_BYTES = 8 * MiB;

/** Readings that are a moment old at the most. */
const OFTEN = { 'worker.memory.monitor-interval': '100ms', 'scheduler.heartbeat-interval': '200ms' };

const loadTasks = (client: Client) => client.load<typeof Memory>(TASKS_URL);

const seeds = (count: number): number[] => Array.from({ length: count }, (_, seed) => seed);

const workerOf = async (client: Client, name: string) =>
  (await client.memory()).workers.find((worker) => worker.name === name)!;

const spillFiles = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.name.endsWith('.segment'))
    .map((entry) => join(entry.parentPath, entry.name));

test('values larger than the memory of all workers come back right, for tasks, other workers and clients', async () => {
  await using cluster = await startCluster({ memoryLimit: LIMIT });
  await using client = await cluster.connect();
  const { pattern, isPattern, count } = await loadTasks(client);
  const all = seeds(64);

  const values = client.map(
    pattern,
    all,
    all.map(() => VALUE_BYTES),
  );
  await client.wait(values);
  const held = await client.memory();
  expect(held.total.spilledBytes).toBeGreaterThan(64 * VALUE_BYTES - 2 * LIMIT);
  expect(held.total.managedBytes).toBeLessThan(2 * 0.6 * LIMIT);

  expect(await client.submit(count, client.map(isPattern, values, all)).result()).toBe(64);
  for (const seed of [0, 20, 63]) expect((await values[seed]!.result())[1]).toBe(pattern1(seed));
  const after = await client.memory();
  expect(after.total.spillReadBytes).toBeGreaterThan(0);
  expect(after.workers.map(({ workerId }) => workerId)).toEqual(held.workers.map(({ workerId }) => workerId));
  for (const { managedBytes, unmanagedOldBytes, unmanagedRecentBytes, processBytes } of [
    ...after.workers,
    after.total,
  ])
    expect(managedBytes + unmanagedOldBytes + unmanagedRecentBytes).toBe(processBytes);
}, 180_000);

/** The second number of a seed. */
function pattern1(seed: number): number {
  const next = (state: number): number => (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return next(next(seed + 1)) / 7;
}

test('a bit that changed on disk is never returned: the value is computed again', async () => {
  await using temp = await TempFolder.create();
  let log = '';
  await using cluster = await startCluster({
    workers: 1,
    memoryLimit: LIMIT,
    logLevel: 'info',
    onLog: (text) => (log += text),
    settings: { 'worker.local-directory': temp.path, 'worker.memory.spill-compression': false },
  });
  await using client = await cluster.connect();
  const { pattern, isPattern } = await loadTasks(client);
  const all = seeds(30);
  const values = client.map(
    pattern,
    all,
    all.map(() => VALUE_BYTES),
  );
  await client.wait(values);
  const files = await spillFiles(temp.path);
  expect(files.length).toBeGreaterThan(0);
  for (const path of files) await flipBit(path);

  expect(await client.gather(client.map(isPattern, values, all))).toEqual(all.map(() => true));
  await until(() => log.includes('task.recomputed'));
}, 120_000);

/** In the middle of the file, which is in the middle of a value. */
async function flipBit(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, Math.floor(size / 2));
    byte[0]! ^= 1;
    await file.write(byte, 0, 1, Math.floor(size / 2));
  } finally {
    await file.close();
  }
}

test('spill files are private, below the nanny, and gone when the cluster has closed', async () => {
  await using temp = await TempFolder.create();
  {
    await using cluster = await startCluster({
      workers: 1,
      memoryLimit: LIMIT,
      settings: { 'worker.local-directory': temp.path, 'nanny.name': 'n1' },
    });
    await using client = await cluster.connect();
    const { pattern } = await loadTasks(client);
    const values = client.map(
      pattern,
      seeds(24),
      seeds(24).map(() => VALUE_BYTES),
    );
    await client.wait(values);
    const [file] = await spillFiles(temp.path);
    const opened = await open(file!, 'r');
    expect((await opened.stat()).mode & 0o777).toBe(0o600);
    await opened.close();
    expect(file!.slice(temp.path.length)).toMatch(/^\/spillway\/nanny-n1\/[^/]+\/\d+\.segment$/);
  }
  expect(await readdir(temp.path)).toEqual([]);
}, 120_000);

test('a folder that is memory itself is refused once, with what to do, and no task fails for it', async () => {
  await using temp = await TempFolder.create('/dev/shm');
  let log = '';
  await using cluster = await startCluster({
    workers: 1,
    memoryLimit: LIMIT,
    onLog: (text) => (log += text),
    settings: {
      'worker.local-directory': temp.path,
      'worker.memory.target': 0.1,
      'worker.memory.spill': 0.5,
    },
  });
  await using client = await cluster.connect();
  const { pattern, isPattern } = await loadTasks(client);
  const values = client.map(
    pattern,
    seeds(6),
    seeds(6).map(() => VALUE_BYTES),
  );

  expect(await client.gather(client.map(isPattern, values, seeds(6)))).toEqual(seeds(6).map(() => true));
  expect(await spillFiles(temp.path)).toEqual([]);
  await until(async () => (await client.memory()).workers[0]?.spillRefusedBecause === 'folder-is-memory');
  expect(log.split('\n').filter((line) => line.includes('spill.refused'))).toHaveLength(1);
  expect(log).toContain('worker.memory.spill-on-tmpfs');
}, 120_000);

describe('a worker whose process memory stays above pause', () => {
  const settings = { ...OFTEN, 'worker.memory.pause-recycle': '2s' };

  const leak = async (client: Client, worker: string): Promise<void> => {
    const { leakUntil } = await loadTasks(client);
    await client
      .with({ workers: [worker] })
      .submit(leakUntil, 0.85 * LIMIT)
      .result();
  };
  const names = async (client: Client): Promise<string[]> =>
    (await client.workers()).map(({ name }) => name).toSorted();

  test('starts nothing more, while others do; and is replaced when nothing helps', async () => {
    await using cluster = await startCluster({ memoryLimit: LIMIT, settings });
    await using client = await cluster.connect();
    const { where } = await loadTasks(client);
    const [leaky, other] = (await names(client)) as [string, string];
    const before = await workerOf(client, leaky);
    await leak(client, leaky);
    await until(async () => (await workerOf(client, leaky)).status === 'paused');
    expect((await workerOf(client, leaky)).colour).toBe('red');

    const ran = await client.gather(Array.from({ length: 20 }, () => client.submit(where)));
    expect(new Set(ran)).toEqual(new Set([other]));

    await until(async () => {
      const now = (await client.memory()).workers.find(({ name }) => name === leaky);
      return now !== undefined && now.workerId !== before.workerId && now.status === 'running';
    });
    expect(
      await client
        .with({ workers: [leaky] })
        .submit(where)
        .result(),
    ).toBe(leaky);
  }, 120_000);

  test('and so all of them: what waits ends with an error that says who holds what', async () => {
    await using cluster = await startCluster({
      memoryLimit: LIMIT,
      settings: { ...settings, 'worker.memory.pause-recycle': false, 'scheduler.memory-stuck-timeout': '2s' },
    });
    await using client = await cluster.connect();
    const { where } = await loadTasks(client);
    for (const name of await names(client)) await leak(client, name);
    await until(async () => (await client.workers()).every(({ status }) => status === 'paused'));

    const error = await client.submit(where).exception();

    expect(error).toMatchObject({ code: 'CLUSTER_MEMORY_STUCK' });
    for (const name of await names(client)) expect(error!.message).toContain(name);
  }, 120_000);
});

test('memory that a task received in small pieces and dropped goes back, and pauses nobody', async () => {
  let log = '';
  await using cluster = await startCluster({
    workers: 1,
    memoryLimit: 512 * MiB,
    logLevel: 'info',
    onLog: (text) => (log += text),
    settings: OFTEN,
  });
  await using client = await cluster.connect();
  const { receive } = await loadTasks(client);
  await client.submit(receive, 1 * MiB).result();
  await until(async () => (await client.memory()).total.processBytes > 0);
  const { processBytes: baselineBytes } = (await client.memory()).total;

  await client.submit(receive, 256 * MiB).result();

  await until(async () => (await client.memory()).total.processBytes <= baselineBytes * 1.15);
  expect(log).not.toContain('worker.paused');
}, 60_000);

test('a task with more inputs than any worker has memory is refused before it does harm, and one with fewer runs', async () => {
  await using cluster = await startCluster({ memoryLimit: LIMIT });
  await using client = await cluster.connect();
  const { pattern, length } = await loadTasks(client);
  const before = (await client.workers()).map(({ workerId }) => workerId);
  const all = seeds(24);
  const values = client.map(
    pattern,
    all,
    all.map(() => 16 * MiB),
  );
  await client.wait(values);

  const refused = client.submit(length, values);
  const error = await refused.exception();

  expect(error).toMatchObject({
    code: 'TASK_OUT_OF_MEMORY',
    details: { key: refused.key, inputs: '24', limitBytes: String(LIMIT) },
  });
  expect(Number(error!.details['inputBytes'])).toBeGreaterThanOrEqual(24 * 16 * MiB);
  expect(error!.message).toContain('combine the inputs in steps');
  expect(await client.submit(length, values.slice(0, 2)).result()).toBe(4 * MiB);
  expect((await client.workers()).map(({ workerId }) => workerId)).toEqual(before);
}, 180_000);

test('a limit that is ignored: with spill, pause and terminate off only target is left', async () => {
  await using cluster = await startCluster({
    workers: 1,
    memoryLimit: LIMIT,
    settings: {
      ...OFTEN,
      'worker.memory.spill': false,
      'worker.memory.pause': false,
      'worker.memory.terminate': false,
    },
  });
  await using client = await cluster.connect();
  const { leakUntil, where, pattern, isPattern } = await loadTasks(client);
  await client.submit(leakUntil, 0.97 * LIMIT).result();
  await until(async () => (await client.memory()).total.processBytes > 0.95 * LIMIT);

  expect(await client.submit(where).result()).toBe((await client.workers())[0]!.name);
  expect((await client.workers())[0]!.status).toBe('running');
  const values = client.map(
    pattern,
    seeds(24),
    seeds(24).map(() => VALUE_BYTES),
  );
  expect(await client.gather(client.map(isPattern, values, seeds(24)))).toEqual(seeds(24).map(() => true));
  expect((await client.memory()).total.spillWrittenBytes).toBeGreaterThan(0);
}, 120_000);

test('when all workers are paused, tasks that free memory run one at a time until one of them goes on', async () => {
  let log = '';
  await using cluster = await startCluster({
    workers: 1,
    memoryLimit: LIMIT,
    logLevel: 'info',
    onLog: (text) => (log += text),
    settings: {
      ...OFTEN,
      'worker.memory.target': false,
      'worker.memory.spill': false,
      'worker.memory.pause-recycle': false,
      'worker.memory.pause-return': '100ms',
    },
  });
  await using client = await cluster.connect();
  const { pattern, isPattern, count } = await loadTasks(client);
  const values: Future<Float64Array>[] = [];
  while ((await client.workers())[0]?.status === 'running') {
    const value = client.submit(pattern, values.length, VALUE_BYTES);
    values.push(value);
    await client.wait([value], { until: 'first', timeout: '2s' }).catch(() => undefined);
  }
  const checks = client.map(isPattern, values, seeds(values.length));
  const counted = client.submit(count, checks);
  client.release([...values, ...checks]);

  expect(await counted.result()).toBe(values.length);
  expect(log).toContain('cluster.draining');
  expect(log).not.toContain('worker.exited');
}, 120_000);

test('what a killed worker had spilled is removed by the one that follows it', async () => {
  await using temp = await TempFolder.create();
  await using cluster = await startCluster({
    workers: 1,
    memoryLimit: LIMIT,
    settings: { 'worker.local-directory': temp.path, 'nanny.name': 'n1' },
  });
  await using client = await cluster.connect();
  const { pattern, isPattern, pid } = await loadTasks(client);
  const values = client.map(
    pattern,
    seeds(24),
    seeds(24).map(() => VALUE_BYTES),
  );
  await client.wait(values);
  const [folder] = await readdir(temp.join('spillway', 'nanny-n1'));

  process.kill(await client.submit(pid).result(), 'SIGKILL');

  await until(async () => {
    const folders = await readdir(temp.join('spillway', 'nanny-n1'));
    return folders.length === 1 && folders[0] !== folder;
  });
  expect(await client.gather(client.map(isPattern, values, seeds(24)))).toEqual(seeds(24).map(() => true));
}, 120_000);
