import type * as Tasks from './fixtures/memory.tasks.js';
import { startCluster } from './clusters.js';
import { until } from './testing/processes.js';

const TASKS_URL = new URL('./fixtures/memory.tasks.ts', import.meta.url);
/** Less than a quarter of the limit each, so that no single one is to blame; more than the limit together. */
const EACH_BYTES = 48_000_000;

/** The nanny's part of the ladder: a worker above terminate is ended, and whoever asks is told why. */
test('a worker that several tasks fill is ended by its nanny, with a verdict that the tasks err with, and replaced', async () => {
  let log = '';
  await using cluster = await startCluster({
    workers: 1,
    nthreads: 4,
    memoryLimit: '256 MiB',
    logLevel: 'info',
    onLog: (text) => (log += text),
    settings: { 'scheduler.allowed-failures': 0 },
  });
  await using client = await cluster.connect();
  const tasks = await client.load<typeof Tasks>(TASKS_URL);
  const [before] = await client.workers();

  const futures = client.map(tasks.growAndStay, Array<number>(4).fill(EACH_BYTES));
  const errors = await Promise.all(futures.map((future) => future.exception({ timeout: '40s' })));

  for (const error of errors) {
    expect(error).toMatchObject({ code: 'KILLED_WORKER', details: { cause: 'memory-limit' } });
    expect(error!.message).toMatch(/above terminate \(243 MiB of a limit of 256 MiB\)/);
    expect(error!.message).toContain('--memory-limit');
    expect(error!.details['lastMemory']).toMatch(/^\d+ MiB \d+ ms before, /);
  }
  expect(log).toMatch(/"event":"worker.killed".*"cause":"memory-limit"/);
  await until(async () => (await client.workers()).some(({ workerId }) => workerId !== before!.workerId));
  const [after] = await client.workers();
  expect(after!.name).toBe(before!.name);
  expect(await client.submit(tasks.where).result({ timeout: '20s' })).toBe(before!.name);
}, 90_000);

test('with terminate off the nanny ends nobody', async () => {
  let log = '';
  await using cluster = await startCluster({
    workers: 1,
    nthreads: 4,
    memoryLimit: '256 MiB',
    logLevel: 'info',
    onLog: (text) => (log += text),
    settings: { 'worker.memory.terminate': false },
  });
  await using client = await cluster.connect();
  const tasks = await client.load<typeof Tasks>(TASKS_URL);
  const futures = client.map(tasks.growAndStay, Array<number>(4).fill(EACH_BYTES));
  await until(async () => (await client.memory()).total.processBytes > 256 * 2 ** 20);
  expect(log).not.toContain('worker.killed');
  client.release(futures);
}, 90_000);
