import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The command as people and service managers use it. */
const spillway = join(
  dirname(createRequire(import.meta.url).resolve('@spillway/cli/package.json')),
  'bundle',
  'spillway.mjs',
);
const run = (...args: string[]) => spawnSync(process.execPath, [spillway, ...args], { encoding: 'utf8' });

test.each([['scheduler'], ['nanny'], ['worker'], ['local'], ['workers'], ['config']])(
  'spillway %s --help prints usage and exits 0',
  (command) => {
    const { status, stdout } = run(command, '--help');
    expect(status).toBe(0);
    expect(stdout).toContain(`Usage: spillway ${command}`);
  },
);

test('--version prints the version', () => {
  const { status, stdout } = run('--version');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test('an unknown option exits 2 with a suggestion', () => {
  const { status, stderr } = run('scheduler', '--prot', '1');
  expect(status).toBe(2);
  expect(stderr).toContain('--port');
});

test('wrong settings are all named at once, with where they came from, and exit 2', () => {
  const { status, stderr } = run('scheduler', '--port', 'many', '--allowed-failures', '-1');
  expect(status).toBe(2);
  expect(stderr).toContain('scheduler.port');
  expect(stderr).toContain('scheduler.allowed-failures');
  expect(stderr).toContain('--port');
});

test('listening beyond loopback without TLS is refused', () => {
  const { status, stderr } = run('scheduler', '--host', '0.0.0.0', '--port', '0');
  expect(status).toBe(2);
  expect(stderr).toContain('insecure');
});

test('a scheduler that is not there exits 3', () => {
  expect(run('workers', '127.0.0.1:1', '--timeout', '1s').status).toBe(3);
});

test('a local cluster starts, answers, and ends in order on SIGTERM with nothing left running', async () => {
  const local = spawn(
    process.execPath,
    [spillway, 'local', '--port', '0', '--http-port', '0', '--workers', '2'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const workerPids: number[] = [];
  let address: string | undefined;
  let readyCount = 0;
  for await (const line of createInterface({ input: local.stdout })) {
    const entry = JSON.parse(line) as { event?: string; address?: string; pid?: number; msg: string };
    if (entry.event === 'scheduler.ready') address = entry.address;
    if (entry.event === 'worker.spawned') workerPids.push(entry.pid!);
    if (entry.event === 'worker.ready' && /registered \d+ ms/.test(entry.msg) && ++readyCount === 2) {
      const { status, stdout } = run('workers', address!, '--json');
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toHaveLength(2);
      local.kill('SIGTERM');
    }
  }
  if (local.exitCode === null) await once(local, 'exit');
  expect(local.exitCode).toBe(0);
  for (const pid of workerPids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
}, 60_000);
