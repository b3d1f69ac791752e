import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadWork, startCluster } from './clusters.js';
import { isAlive, until } from './testing/processes.js';

const timesBegun = (path: string): number =>
  existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;

/** A worker whose process is there and does nothing. */
test('a stopped worker is killed by its nanny, with the verdict hung, and replaced', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'spillway-e2e-'));
  await using cluster = await startCluster({
    workers: 1,
    settings: { 'nanny.worker-ttl': '3s', 'scheduler.allowed-failures': 0 },
  });
  await using client = await cluster.connect();
  const { waitForFile } = await loadWork(client);
  const [before] = await client.workers();
  const begun = join(folder, 'begun');
  const future = client.submit(waitForFile, begun, join(folder, 'never'));
  const state = { isOver: false };
  const outcome = future.exception({ timeout: '60s' }).finally(() => (state.isOver = true));
  const stopped: number[] = [];
  // A death right after a heartbeat that knew nothing of the task yet charges nobody: then it begins again, and is stopped again.
  for (let times = 1; ; times += 1) {
    await until(() => state.isOver || timesBegun(begun) === times);
    if (state.isOver) break;
    const [pid] = (await client.run(() => process.pid)).values();
    process.kill(pid!, 'SIGSTOP');
    stopped.push(pid!);
  }

  const error = await outcome;
  expect(error).toMatchObject({ code: 'KILLED_WORKER', details: { cause: 'hung' } });
  expect(error!.message).toMatch(
    /gave its nanny no sign of life for \d{4,} ms although its process was there/,
  );
  expect(error!.message).toContain('nanny.worker-ttl');
  expect(error!.details['lastMemory']).toMatch(/^\d+ MiB \d+ ms before, /);
  expect(stopped.filter(isAlive)).toEqual([]);
  await until(async () => (await client.workers()).some(({ workerId }) => workerId !== before!.workerId));
  expect((await client.workers())[0]!.name).toBe(before!.name);
  await rm(folder, { recursive: true });
}, 90_000);
