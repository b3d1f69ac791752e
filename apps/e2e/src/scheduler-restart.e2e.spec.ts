/** Real processes: the scheduler is killed and started again, with its journal. */
import { readFile } from 'node:fs/promises';
import { connect, type Client, type Future } from '@spillway/client';
import { SeededRandom } from '@spillway/kernel';
import { freePort, TempFolder } from '@spillway/testkit';
import type * as Tasks from './fixtures/journal.tasks.js';
import { Program, SPILLWAY } from './testing/processes.js';

const TASKS_URL = new URL('./fixtures/journal.tasks.ts', import.meta.url);

class RestartableCluster implements AsyncDisposable {
  readonly #open: AsyncDisposable[] = [];
  scheduler!: Program;
  nanny!: Program;

  private constructor(
    readonly folder: TempFolder,
    private readonly port: number,
    private readonly journalArgs: readonly string[],
  ) {}

  static async start(journalArgs?: readonly string[]): Promise<RestartableCluster> {
    const folder = await TempFolder.create();
    const args = journalArgs ?? ['--journal', folder.join('journal')];
    const cluster = new RestartableCluster(folder, await freePort(), args);
    cluster.#open.push(folder);
    await cluster.startScheduler();
    cluster.nanny = new Program(
      [SPILLWAY, 'nanny', cluster.address, '--workers', '2', '--nthreads', '1', '--port', '0'],
      { SPILLWAY_LOG__LEVEL: 'info', SPILLWAY_WORKER__MEMORY__LIMIT: '512 MiB' },
    );
    cluster.#open.push(cluster.nanny);
    return cluster;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async startScheduler(): Promise<void> {
    this.scheduler = new Program(
      [SPILLWAY, 'scheduler', '--port', String(this.port), '--http-port', 'false', ...this.journalArgs],
      { SPILLWAY_LOG__LEVEL: 'info' },
    );
    this.#open.push(this.scheduler);
    await this.scheduler.line(({ event }) => event === 'scheduler.ready');
  }

  async kill(): Promise<void> {
    this.scheduler.kill('SIGKILL');
    await this.scheduler.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.#open.toReversed()) await each[Symbol.asyncDispose]();
  }
}

/** Layers of tasks, each of which depends on two of the layer before. */
async function submitLayers(
  client: Client,
  path: string,
  layers: number,
  width: number,
): Promise<Future<number>[]> {
  const { noted } = await client.load<typeof Tasks>(TASKS_URL);
  let last: Future<number>[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const before = last;
    last = Array.from({ length: width }, (_, index) =>
      client.submit(
        noted,
        path,
        `${layer}-${index}`,
        5,
        before.length === 0 ? [] : [before[index]!, before[(index + 1) % width]!],
      ),
    );
  }
  return last;
}

/** What each of the last layer comes to: one more than the sum of two that are equal. */
const expectedOf = (layers: number): number => 2 ** layers - 1;

async function runsOf(path: string): Promise<Map<string, number>> {
  const runs = new Map<string, number>();
  const text = await readFile(path, 'utf8').catch(() => '');
  for (const name of text.trim().split('\n')) runs.set(name, (runs.get(name) ?? 0) + 1);
  return runs;
}

const countDone = async (path: string): Promise<number> => (await runsOf(path)).size;

async function untilDone(path: string, count: number): Promise<void> {
  while ((await countDone(path)) < count) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('a graph goes on over deaths of the scheduler: right results, nothing computed twice', async () => {
  await using cluster = await RestartableCluster.start();
  await using client = await connect(cluster.address);
  const path = cluster.folder.join('runs');
  const [layers, width] = [12, 40];
  const random = new SeededRandom(7);
  const last = await submitLayers(client, path, layers, width);
  for (let kill = 1; kill <= 3; kill++) {
    await untilDone(path, Math.floor((layers * width * kill) / 5 + random.next() * 40));
    await cluster.kill();
    await cluster.startScheduler();
  }
  expect(await client.gather(last)).toEqual(Array.from({ length: width }, () => expectedOf(layers)));
  const runs = await runsOf(path);
  expect(runs.size).toBe(layers * width);
  expect([...runs].filter(([, count]) => count > 1)).toEqual([]);
  expect(cluster.nanny.log.filter(({ event }) => event === 'worker.exited')).toEqual([]);
}, 120_000);

test('what is submitted while there is no scheduler runs when there is one again', async () => {
  await using cluster = await RestartableCluster.start();
  await using client = await connect(cluster.address);
  const path = cluster.folder.join('runs');
  const before = await submitLayers(client, path, 2, 3);
  await client.gather(before);
  await cluster.kill();
  const { noted } = await client.load<typeof Tasks>(TASKS_URL).catch(() => ({ noted: undefined }));
  const meanwhile = client.submit(noted ?? (() => 0), path, 'meanwhile', 1, before);
  await cluster.startScheduler();
  expect(await meanwhile.result()).toBe(1 + 3 * expectedOf(2));
  expect((await runsOf(path)).get('0-0')).toBe(1);
}, 120_000);

test('data that was scattered is there for the next life', async () => {
  await using cluster = await RestartableCluster.start();
  await using client = await connect(cluster.address);
  const path = cluster.folder.join('runs');
  const data = await client.scatter(41);
  await cluster.kill();
  await cluster.startScheduler();
  const { noted } = await client.load<typeof Tasks>(TASKS_URL);
  expect(await client.submit(noted, path, 'one', 1, [data]).result()).toBe(42);
}, 120_000);

test('with --no-journal a client is told that its session is gone', async () => {
  await using cluster = await RestartableCluster.start(['--no-journal']);
  await using client = await connect(cluster.address);
  const { noted } = await client.load<typeof Tasks>(TASKS_URL);
  const future = client.submit(noted, cluster.folder.join('runs'), 'one', 1, []);
  await future.result();
  const slow = client.submit(noted, cluster.folder.join('runs'), 'slow', 600_000, []);
  await cluster.kill();
  await cluster.startScheduler();
  await expect(slow.result()).rejects.toMatchObject({ code: 'SESSION_EXPIRED' });
}, 120_000);

test('a scheduler that is stopped in order leaves no journal', async () => {
  await using cluster = await RestartableCluster.start();
  cluster.scheduler.kill('SIGTERM');
  expect(await cluster.scheduler.ended).toBe(0);
  await expect(readFile(cluster.folder.join('journal', 'owner.json'))).rejects.toMatchObject({
    code: 'ENOENT',
  });
}, 60_000);
