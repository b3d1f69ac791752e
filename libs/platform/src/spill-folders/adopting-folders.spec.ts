import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleThreadEntry, TempFolder } from '@spillway/testkit';
import { formatOwner, OWNER_FILE, parseOwner, thisProcess, type Owner } from './owner.js';
import { reapLeftovers, reapNanny } from './reap-leftovers.js';
import { SpillFolder } from './spill-folder.js';

const MINUTE_MS = 60_000;

/** A worker that makes, or adopts, its folder, says so, and lives until it is killed. */
const CHILD = `
  import { appendFileSync } from 'node:fs';
  import { SpillFolder } from '@spillway/platform';
  const [localDirectory, workerId, adoptsAs] = process.argv.slice(2);
  const names = { nannyName: 'n1', workerId, ...(adoptsAs === undefined ? {} : { adoptsAs }) };
  const { path, isAdopted } = await SpillFolder.create({ localDirectory, ...names });
  appendFileSync(path + '/values', workerId + '\\n');
  process.send({ path, isAdopted });
  process.on('message', () => undefined);`;

interface Life {
  readonly child: ChildProcess;
  readonly path: string;
  readonly isAdopted: boolean;
}

async function start(localDirectory: string, workerId: string, adoptsAs?: string): Promise<Life> {
  const entry = await bundleThreadEntry(CHILD, __dirname);
  const args = [localDirectory, workerId, ...(adoptsAs === undefined ? [] : [adoptsAs])];
  const child = fork(fileURLToPath(entry), args);
  const [made] = (await once(child, 'message')) as [{ path: string; isAdopted: boolean }];
  return { child, ...made };
}

async function kill({ child }: Life): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const valuesIn = (path: string): Promise<string> => readFile(join(path, 'values'), 'utf8');

async function ownerOf(path: string): Promise<Owner | undefined> {
  return parseOwner(await readFile(join(path, OWNER_FILE), 'utf8'));
}

async function age(path: string, byMs: number): Promise<void> {
  const then = new Date(Date.now() - byMs);
  await utimes(join(path, OWNER_FILE), then, then);
}

test('a worker takes over what its former life left, under its own id, and others do not', async () => {
  await using temp = await TempFolder.create();
  const former = await start(temp.path, 'a-1', 'a');
  await kill(former);
  const other = await start(temp.path, 'b-1', 'b');
  const none = await start(temp.path, 'c-1');
  const next = await start(temp.path, 'a-2', 'a');

  expect([other.isAdopted, none.isAdopted, next.isAdopted]).toEqual([false, false, true]);
  expect(await valuesIn(next.path)).toBe('a-1\na-2\n');
  expect(await ownerOf(next.path)).toMatchObject({ pid: next.child.pid, leavesTo: 'a' });
  expect(await exists(former.path)).toBe(false);
  expect(await readdir(next.path)).toEqual([OWNER_FILE, 'values']);
  await Promise.all([other, none, next].map(kill));
}, 30_000);

test('a folder is taken over where no other file can be made', async () => {
  await using temp = await TempFolder.create();
  const former = await start(temp.path, 'a-1', 'a');
  await kill(former);
  await mkdir(join(former.path, `${OWNER_FILE}.new`));
  const next = await start(temp.path, 'a-2', 'a');
  expect(next.isAdopted).toBe(true);
  expect(await ownerOf(next.path)).toMatchObject({ pid: next.child.pid });
  await kill(next);
}, 30_000);

test('what a living worker has is not taken by another of its name', async () => {
  await using temp = await TempFolder.create();
  const first = await start(temp.path, 'a-1', 'a');
  const second = await start(temp.path, 'a-2', 'a');
  expect(second.isAdopted).toBe(false);
  expect(await valuesIn(first.path)).toBe('a-1\n');
  await Promise.all([first, second].map(kill));
}, 30_000);

test('of several that were left the newest is adopted, and the others are removed by whoever reaps', async () => {
  await using temp = await TempFolder.create();
  const first = await start(temp.path, 'a-1', 'a');
  const second = await start(temp.path, 'a-2', 'a');
  await Promise.all([first, second].map(kill));
  const next = await start(temp.path, 'a-3', 'a');
  expect(await valuesIn(next.path)).toBe('a-2\na-3\n');

  const root = join(temp.path, 'spillway');
  const { removed } = await reapLeftovers({ root, nowMs: Date.now() });
  expect(removed).toEqual([first.path]);
  await kill(next);
}, 30_000);

test('a folder that was adopted by several lives, none of which proved it harmless, is left alone', async () => {
  await using temp = await TempFolder.create();
  const adoptions: boolean[] = [];
  for (let life = 1; life <= 6; life++) {
    const worker = await start(temp.path, `a-${life}`, 'a');
    adoptions.push(worker.isAdopted);
    await kill(worker);
  }
  // The fifth begins anew, with a folder of its own that the sixth adopts.
  expect(adoptions).toEqual([false, true, true, true, false, true]);
}, 60_000);

test('a life that came as far as to say so is none that the folder did harm to', async () => {
  await using temp = await TempFolder.create();
  const names = { localDirectory: temp.path, nannyName: 'n1', adoptsAs: 'a' };
  await kill(await start(temp.path, 'a-1', 'a'));
  const own = await SpillFolder.create({ ...names, workerId: 'a-2' });
  expect(await ownerOf(own.path)).toMatchObject({ unprovenLives: 1 });
  await own.prove();
  expect(await ownerOf(own.path)).toEqual(thisProcess('a'));
}, 30_000);

describe('what a dead worker left to its next life', () => {
  test('is spared for a while, then removed', async () => {
    await using temp = await TempFolder.create();
    const left = await start(temp.path, 'a-1', 'a');
    const leftToNobody = await start(temp.path, 'b-1');
    await Promise.all([left, leftToNobody].map(kill));
    const root = join(temp.path, 'spillway');

    const soon = await reapLeftovers({ root, nowMs: Date.now() });
    expect(soon).toEqual({ removed: [leftToNobody.path], liveCount: 0, undecidedCount: 1 });
    await age(left.path, 11 * MINUTE_MS);
    expect(await reapLeftovers({ root, nowMs: Date.now() })).toMatchObject({ removed: [left.path] });
    expect(await readdir(root)).toEqual([]);
  }, 30_000);

  test('is not adopted after the machine was started again', async () => {
    await using temp = await TempFolder.create();
    const left = await start(temp.path, 'a-1', 'a');
    await kill(left);
    const owner = await ownerOf(left.path);
    await writeFile(join(left.path, OWNER_FILE), formatOwner({ ...owner!, scope: 'another boot' }));

    const next = await start(temp.path, 'a-2', 'a');
    expect(next.isAdopted).toBe(false);
    await kill(next);
  }, 30_000);

  test('goes with its nanny, which leaves those that live alone', async () => {
    await using temp = await TempFolder.create();
    const left = await start(temp.path, 'a-1', 'a');
    const alive = await start(temp.path, 'b-1', 'b');
    await kill(left);

    expect(await reapNanny(temp.path, 'another', Date.now())).toMatchObject({ removed: [] });
    const reaped = await reapNanny(temp.path, 'n1', Date.now());
    expect(reaped).toEqual({ removed: [left.path], liveCount: 1, undecidedCount: 0 });
    await kill(alive);
    await reapNanny(temp.path, 'n1', Date.now());
    expect(await readdir(temp.path)).toEqual([]);
  }, 30_000);
});

test('nothing is made where a nanny that never had a folder ends', async () => {
  await using temp = await TempFolder.create();
  expect(await reapNanny(temp.join('nowhere'), 'n1', Date.now())).toMatchObject({ removed: [] });
  expect(await readdir(temp.path)).toEqual([]);
});
