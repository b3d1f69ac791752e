import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@spillway/client';
import { loadWork, startCluster } from './clusters.js';
import { Program, SPILLWAY, until } from './testing/processes.js';

/** Deaths of which no nanny tells: the scheduler says what it can. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spillway-e2e-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a nanny and its worker that die together are host-lost, with what heartbeats said', async () => {
  await using cluster = await startCluster({
    workers: 1,
    settings: {
      'scheduler.worker-reconnect-grace': '500ms',
      'scheduler.allowed-failures': 0,
      'scheduler.heartbeat-interval': '300ms',
    },
  });
  await using client = await cluster.connect();
  const { waitForFile } = await loadWork(client);
  const begun = join(folder, 'first');
  const future = client.submit(waitForFile, begun, join(folder, 'never'));
  await until(() => existsSync(begun));
  const [nannyPid] = (await client.run(() => process.ppid)).values();
  // Its heartbeats have said what it executes, and how much memory it has.
  await until(async () => (await client.memory()).total.processBytes > 0);

  process.kill(nannyPid!, 'SIGKILL');

  const error = await future.exception({ timeout: '40s' });
  expect(error).toMatchObject({
    code: 'KILLED_WORKER',
    details: { cause: 'host-lost', limit: '512 MiB', terminate: '486 MiB' },
  });
  expect(error!.details['lastMemory']).toMatch(/\d+ MiB \d+ ms before$/);
}, 90_000);

test('a worker without a nanny that dies is unwatched, and the error says to start workers by one', async () => {
  await using scheduler = new Program(
    [SPILLWAY, 'scheduler', '--port', '0', '--http-port', 'false', '--allowed-failures', '0'],
    { SPILLWAY_SCHEDULER__WORKER_RECONNECT_GRACE: '500ms' },
  );
  const { address } = await scheduler.line(({ event }) => event === 'scheduler.ready');
  await using worker = new Program([SPILLWAY, 'worker', String(address), '--memory-limit', '512 MiB']);
  await worker.line(({ event }) => event === 'worker.ready');
  await using client = await connect(String(address));
  const { waitForFile } = await loadWork(client);
  const begun = join(folder, 'second');
  const future = client.submit(waitForFile, begun, join(folder, 'never'));
  await until(() => existsSync(begun));

  worker.kill('SIGKILL');

  const error = await future.exception({ timeout: '40s' });
  expect(error).toMatchObject({ code: 'KILLED_WORKER', details: { cause: 'unwatched' } });
  expect(error!.message).toContain('Start workers by a nanny');
}, 90_000);
