import { spawnSync } from 'node:child_process';
import { connect } from '@spillway/client';
import { Program, SPILLWAY, until } from './testing/processes.js';

const release = (nanny: string, worker: string) =>
  spawnSync(process.execPath, [SPILLWAY, 'release', nanny, worker], { encoding: 'utf8' });

test('a worker that dies too often is in quarantine until an operator releases it', async () => {
  await using scheduler = new Program([SPILLWAY, 'scheduler', '--port', '0', '--http-port', 'false']);
  const { address } = await scheduler.line(({ event }) => event === 'scheduler.ready');
  await using nanny = new Program(
    [SPILLWAY, 'nanny', String(address), '--name', 'n', '--workers', '1', '--memory-limit', '512 MiB'],
    { SPILLWAY_NANNY__QUARANTINE__DEATHS: '2' },
  );
  const { address: nannyAddress } = await nanny.line(({ msg }) =>
    msg.startsWith('nanny n listens to operators'),
  );
  await using client = await connect(String(address));
  for (const lives of [1, 2]) {
    await client.waitForWorkers(1, { timeout: '30s' });
    const spawned = (await nanny.line(({ event, workerId }) => {
      return event === 'worker.spawned' && String(workerId).endsWith(`-${lives}`);
    })) as { readonly pid?: number };
    process.kill(spawned.pid!, 'SIGKILL');
    await until(async () => (await client.workers()).length === 0 || lives === 1);
  }

  const { msg } = await nanny.line(({ event }) => event === 'worker.quarantined');
  expect(msg).toMatch(/^worker n-0 is not started again .* 2 deaths within \d+ ms.*SIGKILL/);
  expect(await client.workers()).toEqual([]);

  const other = release(String(nannyAddress), 'n-1');
  expect(other.status).not.toBe(0);
  expect(other.stderr).toContain('UNKNOWN_WORKER: No worker n-1 of nanny n is in quarantine');

  expect(release(String(nannyAddress), 'n-0')).toMatchObject({
    status: 0,
    stdout: 'n-0 is being started.\n',
  });
  await nanny.line(({ event }) => event === 'worker.restarting');
  await client.waitForWorkers(1, { timeout: '30s' });
}, 90_000);
