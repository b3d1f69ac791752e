import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { programFiles } from '@spillway/platform';
import type { Figure } from './bench.js';
import { median, percentile } from './statistics.js';

const STARTS = 20;

/** From the fork of a worker to its registration with the scheduler: what every restart costs. */
export async function spawnToRegistered(): Promise<readonly Figure[]> {
  const programs = programFiles();
  const { NODE_EXTRA_CA_CERTS: _dropped, ...env } = process.env;
  const quiet = { ...env, SPILLWAY_LOG__LEVEL: 'silent' };
  const scheduler = fork(programs.spillway, ['scheduler', '--port', '0', '--http-port', 'false'], {
    env: quiet,
    execArgv: [],
  });
  const { address } = await readyMessage(scheduler);
  const samples: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const startedAt = performance.now();
    const args = [
      '--scheduler',
      address,
      '--nanny-id',
      'bench',
      '--worker-id',
      `bench-${i}`,
      '--name',
      `bench-${i}`,
      '--nanny-name',
      'bench',
    ];
    const worker = fork(programs.worker, args, { env: quiet, execArgv: [] });
    await readyMessage(worker);
    samples.push(performance.now() - startedAt);
    worker.kill('SIGKILL');
    await once(worker, 'exit');
  }
  scheduler.kill('SIGTERM');
  await once(scheduler, 'exit');
  const how = `median of ${STARTS}, min ${Math.min(...samples).toFixed(0)}, p95 ${percentile(samples, 0.95).toFixed(0)}`;
  return [{ what: 'worker: spawn → registered', value: median(samples), unit: 'ms', how }];
}

function readyMessage(child: ChildProcess): Promise<{ address: string }> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) =>
      reject(new Error(`The program ended with code ${code ?? 'none'} before it was ready.`)),
    );
    child.on('message', (message: { type?: string; address?: string }) => {
      if (message.type === 'ready') resolve({ address: message.address ?? '' });
    });
  });
}
