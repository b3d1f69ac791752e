/** Real processes that are killed: what they had on disk is there again, and is not computed again. */
import { readdir, readFile } from 'node:fs/promises';
import { connect, repeat, trimMemory, type Client, type Future } from '@spillway/client';
import { NannyClient } from '@spillway/protocol';
import { freePort, TempFolder } from '@spillway/testkit';
import { startCluster } from './clusters.js';
import type * as Memory from './fixtures/memory.tasks.js';
import { Program, SPILLWAY, until, type LogLine } from './testing/processes.js';

const TASKS_URL = new URL('./fixtures/memory.tasks.ts', import.meta.url);
const MiB = 2 ** 20;
const LIMIT = 256 * MiB;
const VALUE_BYTES = 4 * MiB;
const COUNT = 40;
const SEEDS = Array.from({ length: COUNT }, (_, seed) => seed);
/** Low enough for most values to be on disk, and for process memory to be far from all other thresholds. */
const TARGET = 0.2;
const SETTINGS = { 'worker.memory.target': TARGET };

const loadTasks = (client: Client) => client.load<typeof Memory>(TASKS_URL);

/** More than fits into memory, each noting in a file that it was computed. */
async function computeValues(client: Client, path: string): Promise<readonly Future<Float64Array>[]> {
  const { patternNoted } = await loadTasks(client);
  const values = client.map(patternNoted, repeat(path), SEEDS, repeat(VALUE_BYTES));
  await client.wait(values);
  return values;
}

async function expectRight(client: Client, values: readonly Future<Float64Array>[]): Promise<void> {
  const { isPattern } = await loadTasks(client);
  const checks = client.map(isPattern, values, SEEDS);
  expect(await client.gather(checks)).toEqual(SEEDS.map(() => true));
}

/** How often each was computed. */
async function runsOf(path: string): Promise<number[]> {
  const lines = (await readFile(path, 'utf8')).trim().split('\n');
  return SEEDS.map((seed) => lines.filter((line) => line === String(seed)).length);
}

/** How many were not computed since then. */
async function keptSince(before: readonly number[], path: string): Promise<number> {
  const now = await runsOf(path);
  return SEEDS.filter((seed) => now[seed] === before[seed]).length;
}

const spilledCount = async (client: Client): Promise<number> =>
  Math.floor((await client.memory()).total.spilledBytes / VALUE_BYTES);

const pidOf = async (client: Client): Promise<number> => {
  const { pid } = await loadTasks(client);
  const [one] = (await client.run(pid)).values();
  return one!;
};

/** Until one of this name, and not this one, is registered. */
const untilReplaced = (client: Client, workerId: string): Promise<void> =>
  until(async () => {
    const workers = await client.workers();
    return workers.length === 1 && workers[0]!.workerId !== workerId;
  });

const linesOf = (log: string, event: string): LogLine[] =>
  log
    .split('\n')
    .filter((line) => line.includes(`"${event}"`))
    .map((line) => JSON.parse(line) as LogLine);

test('what a killed worker had on disk is read by its successor; only the rest is computed again', async () => {
  await using temp = await TempFolder.create();
  let log = '';
  await using cluster = await startCluster({
    workers: 1,
    memoryLimit: LIMIT,
    logLevel: 'info',
    onLog: (text) => (log += text),
    settings: { ...SETTINGS, 'worker.local-directory': temp.path },
  });
  await using client = await cluster.connect();
  const path = temp.join('runs');
  const values = await computeValues(client, path);
  await until(async () => (await spilledCount(client)) > COUNT / 2);
  const [onDisk, runs] = [await spilledCount(client), await runsOf(path)];
  const [worker] = await client.workers();
  log = '';
  process.kill(await pidOf(client), 'SIGKILL');
  await untilReplaced(client, worker!.workerId);

  await expectRight(client, values);
  const [adopted] = linesOf(log, 'worker.adopted');
  expect(adopted!['count']).toBeGreaterThanOrEqual(onDisk);
  expect(await keptSince(runs, path)).toBe(adopted!['count']);
}, 180_000);

test('with worker.memory.adopt off all of it is computed again', async () => {
  await using temp = await TempFolder.create();
  let log = '';
  await using cluster = await startCluster({
    workers: 1,
    memoryLimit: LIMIT,
    logLevel: 'info',
    onLog: (text) => (log += text),
    settings: { ...SETTINGS, 'worker.local-directory': temp.path, 'worker.memory.adopt': false },
  });
  await using client = await cluster.connect();
  const path = temp.join('runs');
  const values = await computeValues(client, path);
  const runs = await runsOf(path);
  const [worker] = await client.workers();
  process.kill(await pidOf(client), 'SIGKILL');
  await untilReplaced(client, worker!.workerId);

  await expectRight(client, values);
  expect(await keptSince(runs, path)).toBe(0);
  expect(linesOf(log, 'worker.adopted')).toEqual([]);
  await until(() => linesOf(log, 'spill.leftovers-removed').length > 0);
}, 180_000);

test('nothing is left on disk by a cluster that closes right after a worker was killed', async () => {
  await using temp = await TempFolder.create();
  {
    await using cluster = await startCluster({
      workers: 1,
      memoryLimit: LIMIT,
      settings: { ...SETTINGS, 'worker.local-directory': temp.path },
    });
    await using client = await cluster.connect();
    const { pattern } = await loadTasks(client);
    await client.wait(client.map(pattern, SEEDS, repeat(VALUE_BYTES)));
    process.kill(await pidOf(client), 'SIGKILL');
  }
  expect(await readdir(temp.path)).toEqual([]);
}, 120_000);

describe('a nanny of its own', () => {
  interface OwnOptions {
    readonly limitBytes?: number;
    readonly environ?: Readonly<Record<string, string>>;
    /** Flags that name it. */
    readonly name?: readonly string[];
  }

  /** A scheduler, a nanny with one worker, and a client: `await using own = await Own.start()`. */
  class Own implements AsyncDisposable {
    readonly #open: AsyncDisposable[] = [];

    private constructor(
      readonly folder: TempFolder,
      readonly nannyPort: number,
      private readonly schedulerAddress: string,
      private readonly options: OwnOptions,
    ) {}

    client!: Client;
    nanny!: Program;

    static async start(options: OwnOptions = {}): Promise<Own> {
      const [port, nannyPort] = [await freePort(), await freePort()];
      const own = new Own(await TempFolder.create(), nannyPort, `127.0.0.1:${port}`, options);
      const args = ['--port', String(port), '--http-port', 'false'];
      const scheduler = new Program([SPILLWAY, 'scheduler', ...args]);
      own.#open.push(own.folder, scheduler);
      await scheduler.line(({ event }) => event === 'scheduler.ready');
      own.startNanny();
      await own.nanny.line(({ event }) => event === 'worker.ready');
      own.client = await connect(own.schedulerAddress);
      own.#open.push(own.client);
      return own;
    }

    get path(): string {
      return this.folder.join('runs');
    }

    startNanny(): void {
      const { limitBytes = LIMIT, environ = {}, name = ['--name', 'n1'] } = this.options;
      const args = [
        ...[...name, '--workers', '1', '--port', String(this.nannyPort)],
        ...['--memory-limit', String(limitBytes), '--local-directory', this.folder.path],
      ];
      this.nanny = new Program([SPILLWAY, 'nanny', this.schedulerAddress, ...args], {
        SPILLWAY_LOG__LEVEL: 'info',
        SPILLWAY_WORKER__MEMORY__TARGET: String(TARGET),
        ...environ,
      });
      this.#open.push(this.nanny);
    }

    async [Symbol.asyncDispose](): Promise<void> {
      for (const each of this.#open.toReversed()) await each[Symbol.asyncDispose]();
    }
  }

  test('that is killed and started again under its name has workers that take over what theirs had', async () => {
    await using own = await Own.start();
    const { client, path } = own;
    const values = await computeValues(client, path);
    await until(async () => (await spilledCount(client)) > COUNT / 2);
    const runs = await runsOf(path);
    own.nanny.kill('SIGKILL');
    await own.nanny.ended;
    own.startNanny();
    const adopted = await own.nanny.line(({ event }) => event === 'worker.adopted');
    expect(adopted['count']).toBeGreaterThan(COUNT / 2);

    await expectRight(client, values);
    expect(await keptSince(runs, path)).toBe(adopted['count']);
  }, 180_000);

  test('that replaces its worker on request loses nothing, not even what was in memory only', async () => {
    await using own = await Own.start();
    const { client, path } = own;
    const values = await computeValues(client, path);
    const runs = await runsOf(path);
    const nannyClient = new NannyClient({ address: `127.0.0.1:${own.nannyPort}`, timeoutMs: 5000 });
    const [worker] = await client.workers();
    await nannyClient.restartWorker(worker!.workerId, 'of the test');
    nannyClient.close();
    await untilReplaced(client, worker!.workerId);

    await expectRight(client, values);
    expect(await keptSince(runs, path)).toBe(COUNT);
  }, 180_000);

  test('whose worker leaks and is recycled loses nothing', async () => {
    // Far above pause with everything spilled and trimmed, and far below terminate.
    const limitBytes = 384 * MiB;
    const environ = { SPILLWAY_WORKER__MEMORY__TARGET: '0.05', SPILLWAY_WORKER__MEMORY__PAUSE_RECYCLE: '1s' };
    await using own = await Own.start({ limitBytes, environ });
    const { client, path } = own;
    const { leakUntil } = await loadTasks(client);
    const values = await computeValues(client, path);
    await client.run(trimMemory);
    const runs = await runsOf(path);
    const [worker] = await client.workers();
    const leaky = client.submit(leakUntil, 0.87 * limitBytes);
    await leaky.result();
    // Held, it would be computed again on the fresh worker, if it was too late to be written out.
    leaky.release();
    await untilReplaced(client, worker!.workerId);

    await expectRight(client, values);
    expect(await keptSince(runs, path)).toBe(COUNT);
  }, 180_000);

  test('that stops in order leaves what its worker had to its next life', async () => {
    await using own = await Own.start();
    const { client, path } = own;
    const values = await computeValues(client, path);
    const runs = await runsOf(path);
    own.nanny.kill('SIGTERM');
    expect(await own.nanny.ended).toBe(0);
    own.startNanny();
    const adopted = await own.nanny.line(({ event }) => event === 'worker.adopted');
    expect(adopted['count']).toBe(COUNT);

    await expectRight(client, values);
    expect(await keptSince(runs, path)).toBe(COUNT);
  }, 180_000);

  test('without a name of its own that stops in order leaves nothing', async () => {
    await using own = await Own.start({ name: [] });
    await computeValues(own.client, own.path);
    own.nanny.kill('SIGTERM');
    expect(await own.nanny.ended).toBe(0);
    expect(await readdir(own.folder.path)).toEqual(['runs']);
  }, 120_000);
});
