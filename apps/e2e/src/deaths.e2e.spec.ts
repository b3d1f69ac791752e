import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { repeat, type Client, type LocalCluster } from '@spillway/client';
import { loadWork, startCluster } from './clusters.js';

const BLOCKING_CONTAINER = fileURLToPath(new URL('./fixtures/map-container.mjs', import.meta.url));

/** Workers that die, and what becomes of their work. */
let cluster: LocalCluster;
let client: Client;
let work: Awaited<ReturnType<typeof loadWork>>;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spillway-e2e-'));
  cluster = await startCluster({ memoryLimit: '256 MiB' });
  client = await cluster.connect();
  work = await loadWork(client);
}, 60_000);
afterAll(async () => {
  await client.close();
  await cluster.close();
  await rm(folder, { recursive: true });
});

test('results that died with their worker are computed again, and only those', async () => {
  const log = join(folder, 'runs');
  const notes = client.map(work.note, repeat(log), ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
  await client.wait(notes);
  const pids = await client.run(work.pid);
  const [victim] = pids.keys();
  const lost = (await client.hasWhat([victim!])).get(victim!)!.length;
  process.kill(pids.get(victim!)!, 'SIGKILL');
  expect((await client.gather(notes)).join('')).toBe('abcdefgh');
  const again = client.submit((parts: readonly string[]) => parts.join(''), notes);
  expect(await again.result()).toBe('abcdefgh');
  const runs = (await readFile(log, 'utf8')).trim().split('\n').length;
  // Values that rode on the control stream need no second run unless a task needs them on a worker.
  expect(runs).toBeGreaterThanOrEqual(8);
  expect(runs).toBeLessThanOrEqual(8 + lost);
}, 60_000);

test('a task whose side effects must not run twice errs with LOST_DATA when its result is lost', async () => {
  const log = join(folder, 'once');
  const once = client.with({ recompute: false }).submit(work.note, log, 'x');
  await client.wait([once]);
  const [holder] = (await client.whoHas([once])).get(once.key)!;
  process.kill((await client.run(work.pid)).get(holder!.workerId)!, 'SIGKILL');
  const error = await client.submit((text: string) => text.length, once).exception();
  expect(['LOST_DATA', 'DEPENDENCY_FAILED']).toContain(error?.code);
  expect((await readFile(log, 'utf8')).trim()).toBe('x');
}, 60_000);

test('a task that runs away with memory is ended, and its worker and the other task live on', async () => {
  await until(async () => (await client.workers()).length === 2);
  const pids = new Set((await client.run(work.pid)).values());
  const error = await client.submit(work.growBuffers).exception({ timeout: '60s' });
  expect(error?.code).toBe('TASK_OUT_OF_MEMORY');
  expect(new Set((await client.run(work.pid)).values())).toEqual(pids);
}, 90_000);

test('a nanny that is killed takes its workers with it', async () => {
  await using own = await startCluster({ workers: 2 });
  await using other = await own.connect();
  const pids = [...(await other.run(() => process.pid)).values()];
  const parents = await other.run(() => process.ppid);
  process.kill([...parents.values()][0]!, 'SIGKILL');
  await until(() => pids.every((pid) => !isAlive(pid)));
}, 60_000);

test('a nanny that is killed takes a worker with it whose control loop stands still', async () => {
  const begun = join(folder, 'blocked');
  await using own = await startCluster({
    workers: 1,
    settings: {
      'worker.data': `${BLOCKING_CONTAINER}#makeBlocking`,
      'worker.data-options': JSON.stringify({ begun }),
    },
  });
  await using other = await own.connect();
  const [worker] = (await other.run(() => [process.pid, process.ppid] as const)).values();
  const [workerPid, nannyPid] = worker!;
  const future = other.submit((x: number) => x + 1, 1);
  // Its control loop has gone into the container, and does not come back.
  await until(() => existsSync(begun));
  process.kill(nannyPid, 'SIGKILL');
  await until(() => !isAlive(workerPid));
  future.release();
}, 60_000);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Processes give no event when they are not our children: look again until it is so; jest's timeout is the bound. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
}
