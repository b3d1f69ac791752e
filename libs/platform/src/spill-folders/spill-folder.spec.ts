import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundleThreadEntry, TempFolder } from '@spillway/testkit';
import { folderName } from './folder-name.js';
import { formatOwner, OWNER_FILE, thisProcess, type Owner } from './owner.js';
import { reapLeftovers } from './reap-leftovers.js';
import { SpillFolder } from './spill-folder.js';

const HOUR_MS = 3_600_000;

/** Makes a spill folder, says where, and lives until it is killed or told to go. */
const CHILD = `
  import { writeFileSync } from 'node:fs';
  import { SpillFolder } from '@spillway/platform';
  const [localDirectory, workerId] = process.argv.slice(2);
  const folder = await SpillFolder.create({ localDirectory, nannyName: 'n1', workerId });
  writeFileSync(folder.path + '/0000000001.segment', 'values');
  process.send(folder.path);
  process.on('message', async () => { await folder.remove(); process.disconnect(); });`;

interface Owning {
  readonly child: ChildProcess;
  readonly path: string;
}

async function start(localDirectory: string, workerId: string): Promise<Owning> {
  const entry = await bundleThreadEntry(CHILD, __dirname);
  const child = fork(fileURLToPath(entry), [localDirectory, workerId]);
  const [path] = (await once(child, 'message')) as [string];
  return { child, path };
}

async function kill({ child }: Owning): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

test('what killed workers leave is removed, and what living ones have is not touched', async () => {
  await using temp = await TempFolder.create();
  const [dead, alive] = await Promise.all([start(temp.path, 'w-1'), start(temp.path, 'w-2')]);
  const own = await SpillFolder.create({ localDirectory: temp.path, nannyName: 'n2', workerId: 'w-3' });
  await kill(dead);

  const reaped = await reapLeftovers({ root: own.root, nowMs: Date.now() });

  expect(reaped).toEqual({ removed: [dead.path], liveCount: 2, undecidedCount: 0 });
  expect(await Promise.all([dead.path, alive.path, own.path].map(exists))).toEqual([false, true, true]);
  expect(await readFile(join(alive.path, '0000000001.segment'), 'utf8')).toBe('values');
  await kill(alive);
}, 30_000);

test('a worker that ends in order leaves nothing', async () => {
  await using temp = await TempFolder.create();
  const { child } = await start(temp.path, 'w-1');
  const exited = once(child, 'exit');
  child.send('go');
  await exited;
  expect(await readdir(temp.path)).toEqual([]);
}, 30_000);

describe('an owner', () => {
  async function reapWithOwner(owner: Partial<Owner>, silentMs = 0) {
    await using temp = await TempFolder.create();
    const folder = await SpillFolder.create({ localDirectory: temp.path, nannyName: 'n', workerId: 'w' });
    const ownerFile = join(folder.path, OWNER_FILE);
    await writeFile(ownerFile, formatOwner({ ...thisProcess(), ...owner }));
    const nowMs = Date.now();
    await utimes(ownerFile, new Date(nowMs - silentMs), new Date(nowMs - silentMs));
    const { removed, liveCount, undecidedCount } = await reapLeftovers({ root: folder.root, nowMs });
    return { removedCount: removed.length, liveCount, undecidedCount };
  }
  const statOf = async (pid: number): Promise<string[]> =>
    (await readFile(`/proc/${pid}/stat`, 'latin1')).replace(/.*\) /, '').split(' ');
  const REMOVED = { removedCount: 1, liveCount: 0, undecidedCount: 0 };
  const UNDECIDED = { removedCount: 0, liveCount: 0, undecidedCount: 1 };

  test('that lives is never touched, however long it was silent', async () => {
    expect(await reapWithOwner({}, 100 * HOUR_MS)).toEqual({ ...UNDECIDED, liveCount: 1, undecidedCount: 0 });
  });

  test('that nobody has buried is dead', async () => {
    // Its parent becomes a program that does not look after children.
    const script = 'sh -c "read line <&3" & echo $!; exec sleep 60';
    const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] });
    const [said] = (await once(parent.stdout!, 'data')) as [Buffer];
    const pid = Number(said.toString());
    while (!(await readFile(`/proc/${parent.pid}/comm`, 'latin1')).startsWith('sleep')) await setImmediate();
    (parent.stdio[3] as Writable).end('\n');
    while ((await statOf(pid))[0] !== 'Z') await setImmediate();

    expect(await reapWithOwner({ pid, startTime: (await statOf(pid))[19]! })).toEqual(REMOVED);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  });

  test('whose process id another process has now is dead', async () => {
    expect(await reapWithOwner({ startTime: '1' })).toEqual(REMOVED);
  });

  test('of another container or boot is dead only after a long silence', async () => {
    expect(await reapWithOwner({ scope: 'another', pid: 1 })).toEqual(UNDECIDED);
    expect(await reapWithOwner({ scope: 'another', pid: 1 }, HOUR_MS)).toEqual(REMOVED);
  });
});

test('a folder without an owner is left until it is old', async () => {
  await using temp = await TempFolder.create();
  const folder = await SpillFolder.create({ localDirectory: temp.path, nannyName: false, workerId: 'w' });
  const stray = join(folder.root, 'no-nanny', 'stray');
  await mkdir(stray);

  const soon = await reapLeftovers({ root: folder.root, nowMs: Date.now() });
  expect(soon).toMatchObject({ removed: [], undecidedCount: 1 });
  const later = await reapLeftovers({ root: folder.root, nowMs: Date.now() + HOUR_MS });
  expect(later).toMatchObject({ removed: [stray], liveCount: 1 });
});

test('of several who reap at a time one removes each folder, and none fails', async () => {
  await using temp = await TempFolder.create();
  const folders = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      SpillFolder.create({ localDirectory: temp.path, nannyName: `n${index % 3}`, workerId: `w${index}` }),
    ),
  );
  const dead = formatOwner({ ...thisProcess(), startTime: '1' });
  await Promise.all(folders.map(({ path }) => writeFile(join(path, OWNER_FILE), dead)));
  const { root } = folders[0]!;

  const reaped = await Promise.all(
    Array.from({ length: 4 }, () => reapLeftovers({ root, nowMs: Date.now() })),
  );

  const removed = reaped.flatMap((each) => each.removed);
  expect(removed.toSorted()).toEqual(folders.map(({ path }) => path).toSorted());
  expect(await readdir(root)).toEqual([]);
});

test('folders that come and go beside each other do not disturb each other', async () => {
  await using temp = await TempFolder.create();
  const lives = Array.from({ length: 20 }, async (_, index) => {
    for (let life = 0; life < 10; life++) {
      const folder = await SpillFolder.create({
        localDirectory: temp.path,
        nannyName: 'n',
        workerId: `w${index}-${life}`,
      });
      expect((await stat(folder.path)).mode & 0o777).toBe(0o700);
      await folder.remove();
    }
  });
  await Promise.all(lives);
  expect(await readdir(temp.path)).toEqual([]);
});

test('a link or a folder open to others in its place is not used', async () => {
  await using temp = await TempFolder.create();
  await using elsewhere = await TempFolder.create();
  await symlink(elsewhere.path, temp.join('spillway'));
  const options = { localDirectory: temp.path, nannyName: 'n', workerId: 'w' };
  const beside = await SpillFolder.create(options);
  await beside.remove();

  await mkdir(beside.root);
  await chmod(beside.root, 0o777);
  const fresh = await SpillFolder.create(options);

  expect(await readdir(elsewhere.path)).toEqual([]);
  expect(fresh.root).not.toBe(beside.root);
  expect((await stat(fresh.root)).mode & 0o777).toBe(0o700);
});

test('whatever the name, the folder name is harmless', () => {
  const names = ['../../etc', '.', '..', '.hidden', 'a/b', '', 'x'.repeat(500), 'nul\0', 'worker/1', 'ünï'];
  for (const name of names) expect(folderName(name)).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);
});

test('different names have different folders', () => {
  const names = ['a/b', 'a-b', 'a b', 'a\\b', 'A/b'];
  expect(new Set(names.map(folderName)).size).toBe(names.length);
});
