/** Bundles on disk: brought once, kept while used, dropped when told. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asModuleHash, ClusterUnreachableError, UnavailableError, type ModuleHash } from '@spillway/kernel';
import type { Timers } from '@spillway/ports';
import { ModuleDepot } from './module-depot.js';

const TEXT = new TextEncoder().encode('exports.run = () => 1;');
const HASH = asModuleHash(createHash('sha256').update(TEXT).digest('hex'));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spillway-depot-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Scene {
  readonly depot: ModuleDepot;
  readonly fetched: ModuleHash[];
  /** Why the disk did not take modules. */
  readonly refusals: string[];
  /** Waits until a fetch is made again; nothing ends them but the test. */
  readonly rests: { readonly ms: number; readonly end: () => void }[];
  /** The next fetch that ended, well or not. */
  readonly changed: () => Promise<void>;
}

function aDepot(fetch: () => Promise<Uint8Array> = () => Promise.resolve(TEXT)): Scene {
  const fetched: ModuleHash[] = [];
  let wake: () => void = () => undefined;
  const source = {
    fetch: (hash: ModuleHash): Promise<Uint8Array> => {
      fetched.push(hash);
      return fetch();
    },
  };
  const refusals: string[] = [];
  const rests: { readonly ms: number; readonly end: () => void }[] = [];
  const timers: Timers = {
    after: (ms, end) => {
      rests.push({ ms, end });
      return { cancel: () => undefined };
    },
    every: () => ({ cancel: () => undefined }),
    soon: (call) => void setImmediate(call),
  };
  const depot = new ModuleDepot({
    source,
    folder,
    timers,
    listener: {
      onChange: () => wake(),
      onDiskRefused: (_, reason) => refusals.push(reason),
    },
  });
  return { depot, fetched, refusals, rests, changed: () => new Promise((resolve) => (wake = resolve)) };
}

test('a module is fetched once, however many want it', async () => {
  const { depot, fetched, changed } = aDepot();
  const arrived = changed();
  depot.retain(HASH);
  depot.retain(HASH);
  expect(depot.state(HASH)).toEqual({ name: 'fetching' });

  await arrived;

  depot.retain(HASH);
  expect(depot.state(HASH)).toEqual({ name: 'ready' });
  expect(fetched).toEqual([HASH]);
});

test('an unloaded module stays as long as it is used, then its file goes', async () => {
  const { depot, fetched, changed } = aDepot();
  const arrived = changed();
  depot.retain(HASH);
  await arrived;

  depot.unload([HASH]);
  expect(depot.state(HASH)).toEqual({ name: 'ready' });
  depot.release(HASH);
  while ((await readdir(folder)).length > 0) await new Promise((resolve) => setImmediate(resolve));

  expect(fetched).toHaveLength(1);
});

test('a module wanted again right after it was dropped is fetched again and stays', async () => {
  const { depot, fetched, changed } = aDepot();
  const arrived = changed();
  depot.retain(HASH);
  depot.unload([HASH]);
  await arrived;

  const again = changed();
  depot.release(HASH);
  depot.retain(HASH);
  await again;

  expect(depot.state(HASH)).toEqual({ name: 'ready' });
  expect(await readdir(folder)).toEqual([`${HASH}.cjs`]);
  expect(fetched).toHaveLength(2);
});

test('wanting a module again before its last user is done keeps it', async () => {
  const { depot, changed } = aDepot();
  const arrived = changed();
  depot.retain(HASH);
  await arrived;

  depot.unload([HASH]);
  depot.retain(HASH);
  depot.release(HASH);
  depot.release(HASH);

  expect(await readdir(folder)).toEqual([`${HASH}.cjs`]);
});

test('a failure is told to all who wait, and the next one tries again', async () => {
  const { depot, fetched, changed } = aDepot(() => Promise.reject(new Error('wire cut')));
  const failed = changed();
  depot.retain(HASH);
  depot.retain(HASH);
  await failed;

  expect(depot.state(HASH)).toMatchObject({
    name: 'failed',
    mayRetry: true,
    error: { code: 'MODULE_NOT_LOADABLE' },
  });
  depot.release(HASH);
  expect(depot.state(HASH)).toMatchObject({ name: 'failed' });
  depot.release(HASH);

  const again = changed();
  depot.retain(HASH);
  await again;
  expect(fetched).toHaveLength(2);
});

test('a module given up while it is fetched leaves nothing behind that would be taken for ready', async () => {
  const { depot, changed } = aDepot();
  const arrived = changed();
  depot.retain(HASH);
  depot.unload([HASH]);
  depot.release(HASH);
  await arrived;

  const again = changed();
  depot.retain(HASH);
  await again;
  expect(depot.state(HASH)).toEqual({ name: 'ready' });
  expect(await readdir(folder)).toEqual([`${HASH}.cjs`]);
});

test('a module that the disk does not take is ready all the same, with its bytes', async () => {
  const { depot, refusals, changed } = aDepot();
  // A file where the folder has to be: as little room for a module as on a full disk.
  await rm(folder, { recursive: true });
  await writeFile(folder, '');
  const arrived = changed();
  depot.retain(HASH);
  await arrived;

  expect(depot.state(HASH)).toEqual({ name: 'ready', bytes: TEXT });
  expect(refusals).toEqual([expect.stringContaining('EEXIST')]);
});

/** Once so many waits have begun. */
async function resting({ rests }: Scene, count: number): Promise<void> {
  while (rests.length < count) await new Promise((resolve) => setImmediate(resolve));
}

test.each([
  new UnavailableError('connection dropped'),
  new ClusterUnreachableError('No connection established'),
])(
  'a module that %s keeps away is asked for again after growing waits, while somebody wants it',
  async (broken) => {
    const scene = aDepot(() => Promise.reject(broken));
    const { depot, fetched, rests, changed } = scene;
    depot.retain(HASH);
    await resting(scene, 1);
    rests[0]!.end();
    await resting(scene, 2);
    expect(rests.map(({ ms }) => ms)).toEqual([50, 100]);
    expect(depot.state(HASH)).toEqual({ name: 'fetching' });

    const givenUp = changed();
    depot.release(HASH);
    rests[1]!.end();
    await givenUp;
    expect(fetched).toHaveLength(2);
  },
);

test('a depot that is closed asks for nothing again', async () => {
  const scene = aDepot(() => Promise.reject(new UnavailableError('connection dropped')));
  const { depot, fetched, changed } = scene;
  const failed = changed();
  depot.retain(HASH);
  await resting(scene, 1);
  depot.close();
  await failed;
  expect(depot.state(HASH)).toMatchObject({ name: 'failed', error: { code: 'UNAVAILABLE' } });
  expect(fetched).toHaveLength(1);
});
