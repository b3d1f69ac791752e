/**
 * What the founding document says of the command, of settings and of whole processes, a test for each promise. What it says
 * of decisions is in libs/worker/memory (founding-document.spec.ts), of values that are spilled in memory.e2e.spec.ts.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { trimMemory, type Client, type LocalCluster } from '@spillway/client';
import { findJemalloc } from '@spillway/platform';
import { TempFolder } from '@spillway/testkit';
import { startCluster } from './clusters.js';
import type * as Memory from './fixtures/memory.tasks.js';
import { SPILLWAY, until } from './testing/processes.js';

const TASKS_URL = new URL('./fixtures/memory.tasks.ts', import.meta.url);
const CONTAINER = fileURLToPath(new URL('./fixtures/map-container.mjs', import.meta.url));
const MiB = 2 ** 20;

const loadTasks = (client: Client) => client.load<typeof Memory>(TASKS_URL);
const spillway = (...args: readonly string[]) =>
  spawnSync(process.execPath, [SPILLWAY, ...args], { encoding: 'utf8' });
/** `host:port` of a cluster's scheduler. */
const addressOf = (cluster: LocalCluster): string => cluster.address;

describe('--memory-limit', () => {
  test.each([
    ['auto', totalmem()],
    ['4 GiB', 4 * 2 ** 30],
    ['0.5', totalmem() / 2],
  ])(
    '%s',
    async (memoryLimit, bytesMax) => {
      await using cluster = await startCluster({ workers: 1, memoryLimit });
      await using client = await cluster.connect();
      const [worker] = await client.workers();
      expect(worker!.memoryLimitBytes).toBeGreaterThan(0);
      expect(worker!.memoryLimitBytes).toBeLessThanOrEqual(bytesMax);
    },
    30_000,
  );

  test.each(['50%', '-1', 'NaN', '', '4 GiBs'])('refuses %j, saying what was wrong', (written) => {
    const { status, stderr } = spillway('nanny', '127.0.0.1:1', '--memory-limit', written);
    expect(status).toBe(2);
    expect(stderr).toContain('worker.memory.limit');
  });
});

test('--local-directory says where values are spilled; by default that is the folder for temporary files', async () => {
  await using temp = await TempFolder.create();
  await using cluster = await startCluster({
    workers: 1,
    memoryLimit: 256 * MiB,
    settings: { 'worker.local-directory': temp.path },
  });
  expect(readdirSync(temp.path)).toContain('spillway');
  const { stdout } = spillway('config', 'show', '--json');
  expect(stdout).toContain('worker.local-directory');
  await cluster.close();
}, 30_000);

test('thresholds are set in a file of settings, and false turns each of them off', async () => {
  await using temp = await TempFolder.create();
  mkdirSync(temp.join('.config', 'spillway'), { recursive: true });
  writeFileSync(
    temp.join('.config', 'spillway', 'spillway.yaml'),
    'worker:\n  memory:\n    target: 0.5\n    spill: false\n    pause: false\n    terminate: false\n',
  );
  const environ = { ...process.env, HOME: temp.path, XDG_CONFIG_HOME: '' };
  const { stdout } = spawnSync(process.execPath, [SPILLWAY, 'config', 'show', '--json'], {
    encoding: 'utf8',
    env: environ,
  });
  const shown = JSON.parse(stdout) as { path: string; value: unknown; origin: string }[];
  const thresholds = ['target', 'spill', 'pause', 'terminate'].map((name) =>
    shown.find(({ path }) => path === `worker.memory.${name}`),
  );
  expect(thresholds.map((threshold) => threshold?.value)).toEqual([0.5, false, false, false]);
  for (const threshold of thresholds) expect(threshold?.origin).toContain('spillway.yaml');
});

describe('memory readings', () => {
  test('spillway memory shows them for each worker and for the cluster, and as JSON', async () => {
    await using cluster = await startCluster();
    await using client = await cluster.connect();
    await until(async () => (await client.memory()).workers.every(({ processBytes }) => processBytes > 0));

    const table = spillway('memory', addressOf(cluster));
    expect(table.status).toBe(0);
    for (const { name } of await client.workers()) expect(table.stdout).toContain(name);

    const { stdout } = spillway('memory', addressOf(cluster), '--json');
    const { workers, total } = JSON.parse(stdout) as Awaited<ReturnType<Client['memory']>>;
    for (const reading of [...workers, total])
      expect(reading.managedBytes + reading.unmanagedOldBytes + reading.unmanagedRecentBytes).toBe(
        reading.processBytes,
      );
    expect(workers.map(({ colour }) => colour)).toEqual(['blue', 'blue']);
  }, 30_000);
});

describe('memory not released back to the operating system', () => {
  test('client.run(trimMemory) releases it on all workers, and says what came of it', async () => {
    await using cluster = await startCluster();
    await using client = await cluster.connect();

    const reports = await client.run(trimMemory);

    expect(reports.size).toBe(2);
    for (const report of reports.values())
      expect(report).toMatchObject({
        allocator: 'glibc',
        trimmed: true,
        beforeBytes: expect.any(Number) as number,
        afterBytes: expect.any(Number) as number,
      });
  }, 30_000);

  test('spillway trim draws the conclusion', async () => {
    await using cluster = await startCluster({ workers: 1 });
    const { status, stdout } = spillway('trim', addressOf(cluster));
    expect(status).toBe(0);
    expect(stdout).toContain('Unmanaged memory');
  }, 30_000);

  test('the nanny sets MALLOC_TRIM_THRESHOLD_ for its workers, and nanny.environ changes that', async () => {
    const names = ['MALLOC_TRIM_THRESHOLD_', 'OWN'];
    for (const [settings, expected] of [
      [{}, ['65536', undefined]],
      [{ 'nanny.environ': { MALLOC_TRIM_THRESHOLD_: '0', OWN: 'x' } }, ['0', 'x']],
    ] as const) {
      await using cluster = await startCluster({ workers: 1, settings });
      await using client = await cluster.connect();
      const { environ } = await loadTasks(client);
      expect(await client.submit(environ, names).result()).toEqual(expected);
    }
  }, 60_000);

  test('jemalloc, where it is installed, is preloaded for workers and not trimmed; elsewhere the start says what to do', async () => {
    const isInstalled =
      findJemalloc({ platform: process.platform, arch: process.arch, environ: process.env }) !== undefined;
    const starting = startCluster({
      workers: 1,
      settings: { 'nanny.allocator': 'jemalloc' },
      startTimeout: '20s',
    });
    if (!isInstalled) {
      await expect(starting).rejects.toThrow(/jemalloc/);
      return;
    }
    await using cluster = await starting;
    await using client = await cluster.connect();
    const [report] = (await client.run(trimMemory)).values();
    expect(report).toMatchObject({ allocator: 'jemalloc', trimmed: false });
  }, 60_000);
});

describe('user-defined managed memory containers', () => {
  test('a factory that a module exports, with options, holds the values of every worker of a nanny', async () => {
    await using cluster = await startCluster({
      memoryLimit: 256 * MiB,
      settings: { 'worker.data': `${CONTAINER}#makeMap`, 'worker.data-options': '{"prefix":"p-"}' },
    });
    await using client = await cluster.connect();
    const { pattern, isPattern, count } = await loadTasks(client);
    const seeds = [0, 1, 2, 3, 4, 5];
    const values = client.map(
      pattern,
      seeds,
      seeds.map(() => MiB),
    );

    expect(await client.submit(count, client.map(isPattern, values, seeds)).result()).toBe(6);
    expect((await values[3]!.result()).byteLength).toBe(MiB);
    expect((await client.memory()).total.spillWrittenBytes).toBe(0);
  }, 60_000);

  test('a container that is not empty is refused', () => {
    const { status, stderr } = spillway('worker', '127.0.0.1:1', '--data', `${CONTAINER}#full`);
    expect(status).not.toBe(0);
    expect(stderr).toContain('not empty');
    expect(existsSync(CONTAINER)).toBe(true);
  });
});
