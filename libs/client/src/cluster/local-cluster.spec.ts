import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  InvalidArgumentError,
  InvalidConfigError,
  ProgramStartError,
  WorkerStartTimeoutError,
} from '@spillway/kernel';
import { planCluster, type LocalClusterOptions } from './cluster-options.js';
import { LocalCluster } from './local-cluster.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-programs-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/**
 * A stand-in for the programs: notes what it is told and how it ends in `events`, and does what a test asks of it.
 * `body` runs with `role` (`scheduler` or `nanny`), `ready()` and `note()` at hand.
 */
function aProgram(body: string): string {
  const program = join(folder, 'program.mjs');
  writeFileSync(
    program,
    `import { appendFileSync } from 'node:fs';
    const [role, ...args] = process.argv.slice(2);
    const note = (text) => appendFileSync(${JSON.stringify(join(folder, 'events'))}, role + ' ' + text + '\\n');
    const ready = () => process.send({ type: 'ready', address: '127.0.0.1:' + (role === 'scheduler' ? 7001 : 7002) });
    const serve = () => {
      process.on('disconnect', () => { note('closed'); process.exit(0); });
      ready();
    };
    note(process.pid + ' ' + args.join(' '));
    ${body}`,
  );
  return program;
}

const events = (): string[] =>
  existsSync(join(folder, 'events')) ? readFileSync(join(folder, 'events'), 'utf8').trim().split('\n') : [];

/** Process ids of all programs that were started. */
const startedPids = (): number[] =>
  events()
    .flatMap((line) => /^\w+ (\d+) /.exec(line)?.[1] ?? [])
    .map(Number);

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const start = (program: string, options: LocalClusterOptions = {}): Promise<LocalCluster> =>
  LocalCluster.start({ workers: 2, program, ...options });

test('starts a scheduler and nannies with what they were told, and closes them in order', async () => {
  const cluster = await start(aProgram('serve();'), {
    workers: 3,
    nannies: 2,
    nthreads: 2,
    memoryLimit: '256 MiB',
    schedulerPort: 8786,
    logLevel: 'info',
  });
  expect(cluster.address).toBe('127.0.0.1:7001');
  await cluster.close();
  await cluster[Symbol.asyncDispose]();

  const lines = events().map((line) => line.replace(/^(\w+) \d+ /, '$1 '));
  expect(lines[0]).toBe('scheduler --port 8786 --journal false --http-port false --log-level info');
  expect(lines.slice(1, 3).sort()).toEqual([
    'nanny 127.0.0.1:7001 --workers 1 --memory-share 0.3333333333333333 --log-level info --nthreads 2 --memory-limit 256 MiB',
    'nanny 127.0.0.1:7001 --workers 2 --memory-share 0.6666666666666666 --log-level info --nthreads 2 --memory-limit 256 MiB',
  ]);
  expect(lines.slice(3)).toEqual(['nanny closed', 'nanny closed', 'scheduler closed']);
  expect(startedPids().filter(isRunning)).toEqual([]);
  await expect(cluster.connect()).rejects.toThrow(/closed/);
});

test('its clients have the settings that it was given', async () => {
  const cluster = await start(aProgram('serve();'), { settings: { 'client.connect-timeout': '53ms' } });
  try {
    await expect(cluster.connect()).rejects.toThrow(/ 53 ms/);
    await expect(cluster.connect({ timeout: 54 })).rejects.toThrow(/ 54 ms/);
  } finally {
    await cluster.close();
  }
});

test('a program that does not close in time is killed', async () => {
  const cluster = await start(
    aProgram(`process.on('disconnect', () => undefined); setInterval(() => 0, 1e6); ready();`),
    {
      closeTimeout: 100,
    },
  );
  await cluster.close();
  expect(startedPids().filter(isRunning)).toEqual([]);
});

test('a program that ends while starting is reported with its last words, and nothing is left running', async () => {
  const program = aProgram(
    `if (role === 'scheduler') serve(); else { console.error('no such port'); process.exitCode = 3; process.disconnect(); }`,
  );
  const starting = start(program);
  await expect(starting).rejects.toThrow(ProgramStartError);
  await expect(starting).rejects.toThrow(
    /nanny ended while it was starting, with exit code 3.*no such port/s,
  );
  expect(startedPids()).toHaveLength(2);
  expect(startedPids().filter(isRunning)).toEqual([]);
});

test('workers that do not register in time are reported, and nothing is left running', async () => {
  const program = aProgram(
    `if (role === 'scheduler') serve(); else { console.error('no memory'); setInterval(() => 0, 1e6); }`,
  );
  const starting = start(program, { startTimeout: 1000 });
  await expect(starting).rejects.toThrow(WorkerStartTimeoutError);
  await expect(starting).rejects.toThrow(/no memory/);
  expect(startedPids().filter(isRunning)).toEqual([]);
});

test('an aborted start rejects with the reason, and nothing is left running', async () => {
  const abort = new AbortController();
  const program = aProgram(
    `if (role === 'scheduler') serve(); else { console.log('waiting'); setInterval(() => 0, 1e6); }`,
  );
  const onLog = (text: string): void => {
    if (text.includes('waiting')) abort.abort(new Error('enough'));
  };
  await expect(start(program, { signal: abort.signal, onLog })).rejects.toThrow('enough');
  expect(startedPids().filter(isRunning)).toEqual([]);
  await expect(start(program, { signal: abort.signal })).rejects.toThrow('enough');
});

test('programs that are not there are reported with what to do', async () => {
  await expect(start(join(folder, 'missing.mjs'))).rejects.toThrow(/Check the option "program"/);
  await expect(start(pathToFileURL(join(folder, 'missing.mjs')).href)).rejects.toThrow(ProgramStartError);
});

describe('the plan of a cluster', () => {
  test('spreads workers over nannies, and no more nannies than workers', () => {
    const counts = (options: LocalClusterOptions): (string | undefined)[] =>
      planCluster(options, {}).nannyArgs.map((argsOf) => argsOf('a:1')[3]);
    expect(counts({ workers: 5, nannies: 2 })).toEqual(['2', '3']);
    expect(counts({ workers: 1, nannies: 3 })).toEqual(['1']);
    expect(counts({ workers: 4 })).toEqual(['4']);
  });

  test('hands down the environment without what is meant for this process', () => {
    const own = { PATH: '/bin', NODE_EXTRA_CA_CERTS: '/ca.pem', NODE_OPTIONS: '--inspect', GONE: '1' };
    const plan = planCluster({ environ: { A: '1', GONE: undefined } }, own);
    expect(plan.environ).toEqual({
      PATH: '/bin',
      A: '1',
      GONE: undefined,
      SPILLWAY_WORKER__VALIDATE: 'true',
    });
    const kept = planCluster({ environ: { NODE_EXTRA_CA_CERTS: '/other.pem' } }, own);
    expect(kept.environ['NODE_EXTRA_CA_CERTS']).toBe('/other.pem');
  });

  test('catches tasks that write into their inputs, unless it is told not to', () => {
    const variable = 'SPILLWAY_WORKER__VALIDATE';
    const nannyArgs = (options: LocalClusterOptions): string =>
      planCluster({ workers: 1, ...options }, {}).nannyArgs[0]!('a:1').join(' ');
    expect(nannyArgs({})).not.toContain('validate');
    expect(nannyArgs({ validate: false })).toContain('--validate false');
    expect(nannyArgs({ validate: true })).toContain('--validate true');
    expect(planCluster({ validate: true }, {}).schedulerArgs).not.toContain('--validate');
    const off = { settings: { 'worker.validate': false } };
    expect(planCluster(off, {}).environ[variable]).toBe('false');
    expect(planCluster({}, { [variable]: 'false' }).environ[variable]).toBe('false');
    expect(planCluster({ environ: { [variable]: 'false' } }, {}).environ[variable]).toBe('false');
  });

  test('turns settings into variables, and refuses wrong ones', () => {
    const { environ } = planCluster(
      { settings: { 'scheduler.allowed-failures': 1, 'client.relay-after': 250 } },
      {},
    );
    expect(environ).toMatchObject({
      SPILLWAY_SCHEDULER__ALLOWED_FAILURES: '1',
      SPILLWAY_CLIENT__RELAY_AFTER: '250ms',
    });
    expect(() => planCluster({ settings: { 'scheduler.allowed-failure': 1 } }, {})).toThrow(
      InvalidConfigError,
    );
    expect(() => planCluster({ workers: 0 }, {})).toThrow(InvalidArgumentError);
    expect(() => planCluster({ startTimeout: 'soon' }, {})).toThrow(/startTimeout/);
  });
});
