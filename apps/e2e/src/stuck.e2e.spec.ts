import { readFile, writeFile } from 'node:fs/promises';
import { connect, repeat } from '@spillway/client';
import { TempFolder } from '@spillway/testkit';
import { loadWork, startCluster } from './clusters.js';
import { bundleProgram } from './testing/bundled-program.js';
import { isAlive, Program, SPILLWAY, until } from './testing/processes.js';

/** Longer than the tests below may take; the sleeping process itself outlives its worker for as long. */
const HANG_SECONDS = 90;

/** Tasks that do not end, write where they must not, or print: what becomes of them and of their neighbours. */
test('a native call that outlives its grace costs the worker, and its neighbour runs again uncharged', async () => {
  await using folder = await TempFolder.create();
  await using cluster = await startCluster({
    workers: 1,
    nthreads: 2,
    settings: { 'worker.cancel-grace': '500ms', 'scheduler.allowed-failures': 0 },
  });
  await using client = await cluster.connect();
  const work = await loadWork(client);
  const [pid] = (await client.run(work.pid)).values();
  const path = folder.join('runs');
  const gate = folder.join('gate');
  const hanging = client.submit(work.hangNoting, path, HANG_SECONDS);
  const neighbour = client.submit(work.waitForFile, path, gate);
  await until(async () => (await readFile(path, 'utf8').catch(() => '')).split('\n').length === 3);
  hanging.cancel();
  await expect(hanging.result()).rejects.toMatchObject({ code: 'FUTURE_CANCELLED' });
  await until(() => !isAlive(pid!));
  await writeFile(gate, 'open');
  // With no failure allowed, one charge would have made it KILLED_WORKER.
  expect(await neighbour.result({ timeout: '30s' })).toBe(1);
  const lines = (await readFile(path, 'utf8')).trim().split('\n').sort();
  expect(lines).toEqual(['hanging', 'waiting', 'waiting']);
  const [nextPid] = (await client.run(work.pid)).values();
  expect(nextPid).not.toBe(pid);
}, 45_000);

test('a nanny that is killed takes a worker with it whose thread is in a native call', async () => {
  await using folder = await TempFolder.create();
  await using cluster = await startCluster({ workers: 1 });
  await using client = await cluster.connect();
  const work = await loadWork(client);
  const [pid] = (await client.run(work.pid)).values();
  const [, nannyPid] = cluster.pids;
  const path = folder.join('runs');
  const hanging = client.submit(work.hangNoting, path, HANG_SECONDS);
  await until(async () => (await readFile(path, 'utf8').catch(() => '')) !== '');
  process.kill(nannyPid!, 'SIGKILL');
  await until(() => !isAlive(pid!));
  hanging.release();
}, 30_000);

test('with validate, a task that writes into an input errs with INPUT_MUTATED, and others see the input as it was', async () => {
  await using cluster = await startCluster({ validate: true });
  await using client = await cluster.connect();
  const work = await loadWork(client);
  const input = client.submit(work.ones, 1000);
  const error = await client.submit(work.writeIntoInput, input).exception({ timeout: '20s' });
  expect(error?.code).toBe('INPUT_MUTATED');
  expect(error?.message).toContain('copy before changing');
  expect(await client.submit(work.total, client.submit(work.ones, 1000)).result()).toBe(1000);
}, 30_000);

test('what tasks print becomes lines of their worker’s log, with their keys', async () => {
  await using local = new Program([
    SPILLWAY,
    'local',
    '--port',
    '0',
    '--http-port',
    'false',
    '--workers',
    '2',
  ]);
  const { address } = await local.line(({ event }) => event === 'scheduler.ready');
  await using client = await connect(address as string);
  const work = await loadWork(client);
  const said = client.map(work.say, ['first words', 'second\nwords']);
  const keys = await client.gather(said);
  expect(keys).toEqual(said.map(({ key }) => key));
  for (const [index, text] of ['first words', 'second\nwords'].entries()) {
    const line = await local.line(({ msg }) => msg.includes(text));
    expect(line).toMatchObject({ service: 'worker', level: 'info', key: keys[index] });
  }
  await until(
    () =>
      local.log.filter(({ event, service }) => event === 'worker.ready' && service === 'nanny').length === 2,
  );
  local.kill('SIGTERM');
  expect(await local.ended).toBe(0);
  expect(local.output).toEqual([]);
}, 60_000);

describe('functions', () => {
  const folderOf = new URL('./fixtures/', import.meta.url);

  test('load from ES modules and from CommonJS', async () => {
    await using cluster = await startCluster();
    await using client = await cluster.connect();
    interface Plain {
      fileName(path: string): string;
      quadruple(x: number): number | Promise<number>;
    }
    for (const name of ['plain.mjs', 'plain.cjs']) {
      const plain = await client.load<Plain>(new URL(name, folderOf));
      expect(await client.submit(plain.fileName, '/a/b.txt').result()).toBe('b.txt');
      expect(await client.gather(client.map(plain.quadruple, [1, 2]))).toEqual([4, 8]);
    }
    const demo = await client.load<{ note(path: string, line: string): string }>(
      new URL('demo.mjs', folderOf),
    );
    await using folder = await TempFolder.create();
    await client.gather(client.map(demo.note, repeat(folder.join('notes')), ['a']));
    expect(await readFile(folder.join('notes'), 'utf8')).toBe('a\n');
    await expect(client.load(new URL('missing.mjs', folderOf))).rejects.toMatchObject({
      code: 'MODULE_NOT_LOADABLE',
    });
  }, 30_000);

  test('load from a bundled program that ships its tasks beside it', async () => {
    await using folder = await TempFolder.create();
    await using cluster = await startCluster();
    await writeFile(
      folder.join('sums.ts'),
      'export const sum = (...xs: number[]): number => xs.reduce((a, b) => a + b, 0);',
    );
    const program = await bundleProgram(BUNDLED_PROGRAM, folder.join('program.mjs'));
    await using running = new Program([program, cluster.address]);
    expect(await running.ended).toBe(0);
    expect(running.output).toEqual(['the sum is 42']);
  }, 30_000);
});

const BUNDLED_PROGRAM = `
  import { connect } from '@spillway/client';
  const client = await connect(process.argv[2]);
  const { sum } = await client.load(new URL('./sums.ts', import.meta.url));
  const part = client.submit(sum, 20, 1);
  console.log('the sum is ' + await client.submit(sum, part, 21).result());
  await client.close();`;
