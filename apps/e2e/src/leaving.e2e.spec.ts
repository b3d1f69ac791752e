/** Workers that leave on purpose while there is work: nothing is lost, and nothing is computed twice. */
import { readFile } from 'node:fs/promises';
import {
  connect,
  NoNannyError,
  repeat,
  UnknownWorkerError,
  type Client,
  type Future,
} from '@spillway/client';
import { freePort, TempFolder } from '@spillway/testkit';
import { startCluster } from './clusters.js';
import type * as Memory from './fixtures/memory.tasks.js';
import { Program, SPILLWAY, until, type LogLine } from './testing/processes.js';

const TASKS_URL = new URL('./fixtures/memory.tasks.ts', import.meta.url);
const MiB = 2 ** 20;
const COUNT = 60;
const SEEDS = Array.from({ length: COUNT }, (_, seed) => seed);

const loadTasks = (client: Client) => client.load<typeof Memory>(TASKS_URL);

/** Values of 1 MiB, each noting in a file that it was computed; some of them are there when this resolves. */
async function beginValues(client: Client, path: string): Promise<readonly Future<Float64Array>[]> {
  const { slowPatternNoted } = await loadTasks(client);
  const values = client.map(slowPatternNoted, repeat(path), SEEDS, repeat(MiB));
  await client.wait(values.slice(0, COUNT / 3));
  return values;
}

/** Each value is right and was computed once. */
async function expectRightAndOnce(client: Client, values: readonly Future<Float64Array>[], path: string) {
  const { isPattern } = await loadTasks(client);
  expect(await client.gather(client.map(isPattern, values, SEEDS))).toEqual(SEEDS.map(() => true));
  const runs = (await readFile(path, 'utf8')).trim().split('\n');
  expect(runs.map(Number).toSorted((a, b) => a - b)).toEqual(SEEDS);
}

const readyLine = ({ event, msg }: LogLine): boolean =>
  event === 'worker.ready' || msg.startsWith('worker registered');

test('one of three workers retires under load: its results are elsewhere, and nothing is computed twice', async () => {
  await using folder = await TempFolder.create();
  await using cluster = await startCluster({ workers: 3 });
  await using client = await cluster.connect();
  const values = await beginValues(client, folder.join('runs'));
  const [leaving] = (await client.workers()).map(({ name }) => name);

  const [report] = await client.retireWorkers([leaving!], { deadline: '60s' });

  expect(report).toMatchObject({
    name: leaving,
    outcome: 'retired',
    takenBackCount: 0,
    recomputedCount: 0,
    lostCount: 0,
  });
  expect(report!.copiedCount).toBeGreaterThan(0);
  await expectRightAndOnce(client, values, folder.join('runs'));
  const left = (await client.workers()).map(({ name }) => name);
  expect(left).toHaveLength(2);
  expect(left).not.toContain(leaving);
}, 120_000);

test('SIGTERM to a nanny retires its workers: their results are with those of another nanny', async () => {
  await using folder = await TempFolder.create();
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  await using scheduler = new Program([SPILLWAY, 'scheduler', '--port', `${port}`, '--http-port', 'false']);
  await scheduler.line(({ event }) => event === 'scheduler.ready');
  const nannyArgs = [SPILLWAY, 'nanny', address, '--workers', '1', '--nthreads', '1'];
  await using leaving = new Program([...nannyArgs, '--name', 'leaving']);
  await using staying = new Program([...nannyArgs, '--name', 'staying']);
  await Promise.all([leaving.line(readyLine), staying.line(readyLine)]);
  await using client = await connect(address);
  const values = await beginValues(client, folder.join('runs'));
  const data = await client.scatter('only once', { workers: ['leaving-0'] });

  leaving.kill('SIGTERM');

  expect(await leaving.ended).toBe(0);
  expect((await client.workers()).map(({ name }) => name)).toEqual(['staying-0']);
  await expectRightAndOnce(client, values, folder.join('runs'));
  expect(await data.result()).toBe('only once');
  // The last one has nobody to copy to, and all it has can be computed again: it does not wait.
  data.release();
  staying.kill('SIGTERM');
  expect(await staying.ended).toBe(0);
  expect(staying.log.some(({ event }) => event === 'worker.killed')).toBe(false);
}, 120_000);

test('spillway retire tells how it goes, and what became of the results is its exit code', async () => {
  await using cluster = await startCluster({ workers: 2 });
  await using client = await cluster.connect();
  const kept = client.submit((n: number) => new Float64Array(n).fill(1), 100_000);
  await client.wait([kept]);
  const [holder] = (await client.whoHas([kept])).get(kept.key)!;
  const { name } = (await client.workers()).find(({ workerId }) => workerId === holder!.workerId)!;

  await using retire = new Program([SPILLWAY, 'retire', cluster.address, name]);

  expect(await retire.ended).toBe(0);
  expect(retire.output.join('\n')).toMatch(
    new RegExp(`^${name}: retired after \\d+\\.\\d s, 1 results copied`),
  );
  const [other] = (await client.workers()).map((worker) => worker.name);
  await using last = new Program([SPILLWAY, 'retire', cluster.address, other!, '--deadline', '500ms']);
  expect(await last.ended).toBe(1);
  expect(last.output.join('\n')).toContain('1 results to be computed again');
  await using unknown = new Program([SPILLWAY, 'retire', cluster.address, 'nobody']);
  expect(await unknown.ended).toBe(2);
}, 120_000);

test('workers nobody knows, or without a nanny, are not restarted', async () => {
  await using cluster = await startCluster({ workers: 1 });
  await using client = await cluster.connect();
  await using alone = new Program([SPILLWAY, 'worker', cluster.address, '--name', 'alone']);
  await until(async () => (await client.workers()).some(({ name }) => name === 'alone'));

  await expect(client.restartWorkers(['nobody'])).rejects.toBeInstanceOf(UnknownWorkerError);
  await expect(client.restartWorkers()).rejects.toBeInstanceOf(NoNannyError);
  expect((await client.workers()).map(({ name }) => name)).toContain('alone');
  alone.kill('SIGTERM');
  expect(await alone.ended).toBe(0);
}, 120_000);

test('scattered data survives the death of a worker that has it', async () => {
  await using cluster = await startCluster({ workers: 2 });
  await using client = await cluster.connect();
  const data = await client.scatter(new Float64Array(1_000).fill(3));
  const holdersNow = async () => (await client.whoHas([data])).get(data.key)!;
  // The question may overtake the news.
  await until(async () => (await holdersNow()).length === 2);
  const holders = await holdersNow();
  const pids = await client.run(() => process.pid);

  process.kill(pids.get(holders[0]!.workerId)!, 'SIGKILL');

  expect(await client.submit((values: Float64Array) => values.length, data).result()).toBe(1_000);
}, 60_000);

test('a rolling restart of three workers under load: right answers, other processes, nothing computed twice', async () => {
  await using folder = await TempFolder.create();
  await using cluster = await startCluster({ workers: 3 });
  await using client = await cluster.connect();
  const before = new Map((await client.workers()).map(({ name, workerId }) => [name, workerId]));
  const values = await beginValues(client, folder.join('runs'));

  const after = await client.restartWorkers(undefined, { rolling: true });

  expect(after.map(({ name }) => name).toSorted()).toEqual([...before.keys()].toSorted());
  for (const { name, workerId } of after) expect(workerId).not.toBe(before.get(name));
  await expectRightAndOnce(client, values, folder.join('runs'));
}, 120_000);
