/** What the store does when the disk does not do what it should. */
import { setImmediate } from 'node:timers/promises';
import { noDisk } from './disk/no-disk.js';
import { spillRefusalText } from './disk/refusal-text.js';
import { keyOf, noise } from './testing/spill-rig.js';
import { aStore, evicted, settle } from './testing/store-on-fake-disk.js';

const [x, y, z] = [keyOf('x'), keyOf('y'), keyOf('z')];

describe('when the disk fails', () => {
  test('values stay in RAM, and whoever asks again has it tried again', async () => {
    const { store, disk } = aStore();
    store.put(x, noise(100_000));
    const evicting = store.evict([x]);
    disk.step('disk-full');
    expect((await evicting).failed).toEqual([{ key: x, reason: 'disk-full' }]);
    expect([store.location(x), store.managedBytes]).toEqual(['ram', 100_000]);

    await evicted(store, disk, x);
    expect(store.location(x)).toBe('disk');
  });

  test('what was queued behind the failure is not tried, in whichever eviction', async () => {
    const { store, disk } = aStore();
    const keys = Array.from({ length: 10 }, (_, index) => keyOf(index));
    for (const key of keys) store.put(key, noise(100_000));
    const evicting = Promise.all([store.evict(keys.slice(0, 7)), store.evict(keys.slice(7))]);
    await setImmediate();
    expect(disk.waitingCount).toBe(4);
    disk.step('read-only');
    await setImmediate();
    expect(disk.waitingCount).toBe(3);
    await settle(disk);

    const [first, second] = await evicting;
    expect(first.evicted.map(({ key }) => key)).toEqual(keys.slice(1, 4));
    expect([...first.failed, ...second.failed]).toEqual(
      [keys[0]!, ...keys.slice(4)].map((key) => ({ key, reason: 'read-only' })),
    );
  });

  test('values of the same eviction that were not queued yet are not tried either, but clean ones leave RAM', async () => {
    const { store, disk } = aStore();
    const keys = Array.from({ length: 1_200 }, (_, index) => keyOf(index));
    for (const key of keys) store.put(key, noise(10));
    const last = keys.at(-1)!;
    await evicted(store, disk, last);
    const loading = store.load(last);
    await settle(disk);
    await loading;

    const evicting = store.evict(keys);
    while (disk.isAskedToWrite) disk.step('disk-full');
    await settle(disk);

    const { evicted: gone, failed } = await evicting;
    expect(gone.map(({ key }) => key)).toEqual([last]);
    expect(new Set(failed.map(({ reason }) => reason))).toEqual(new Set(['disk-full']));
    expect(failed).toHaveLength(1_199);
  });

  test('clean values can still be evicted', async () => {
    const { store, disk } = aStore();
    for (const key of [x, y]) store.put(key, noise(100_000));
    await evicted(store, disk, x);
    const loading = store.load(x);
    await settle(disk);
    await loading;
    const evicting = store.evict([y]);
    disk.step('io-error');
    await evicting;

    expect((await store.evict([x])).evicted).toMatchObject([{ key: x }]);
  });
});

describe('with a limit', () => {
  test('files never get larger than it, and smaller values may still fit', async () => {
    const { store, disk } = aStore({ maxSpillBytes: 250_000 });
    for (const key of [x, y]) store.put(key, noise(150_000));
    store.put(z, noise(50_000));
    const evicting = store.evict([x, y, z]);
    await settle(disk);

    expect(await evicting).toMatchObject({
      evicted: [{ key: x }, { key: z }],
      failed: [{ key: y, reason: 'limit-reached' }],
    });
    expect(disk.fileBytes).toBeLessThanOrEqual(250_000);
    for (const key of [x, z]) store.free(key);
    await evicted(store, disk, y);
  });

  test.each([
    ['full segments', 2_200],
    ['the segment that is written to', 10_000],
  ])('room is made by compacting where freed values lie between others: in %s', async (_, segmentBytes) => {
    const { store, disk } = aStore({ maxSpillBytes: 4_500 }, { segmentBytes, aloneBytes: 2_000 });
    const keys = Array.from({ length: 4 }, (_, index) => keyOf(index));
    for (const key of keys) store.put(key, noise(1_000));
    await evicted(store, disk, ...keys);
    store.free(keys[0]!);
    store.put(x, noise(1_000));

    const refused = store.evict([x]);
    await settle(disk);
    expect((await refused).failed).toEqual([{ key: x, reason: 'limit-reached' }]);
    await evicted(store, disk, x);
    expect(disk.fileBytes).toBeLessThanOrEqual(4_500);
    expect(store.location(keys[1]!)).toBe('disk');
  });
});

test('on tmpfs nothing is ever written, and everything is refused at once', async () => {
  const { store, disk } = aStore({ refuseBecause: 'folder-is-memory' });
  for (const key of [x, y]) store.put(key, noise(100));

  const { failed } = await store.evict([x, y, z]);

  expect(failed).toEqual([
    { key: x, reason: 'folder-is-memory' },
    { key: y, reason: 'folder-is-memory' },
    { key: z, reason: 'not-held' },
  ]);
  expect([disk.isAskedToWrite, store.managedBytes]).toEqual([false, 200]);
});

test('without a folder values are kept in RAM, and the reason is what there was none for', async () => {
  const { store } = aStore({ disk: noDisk('no-access') });
  store.put(x, noise(100));

  expect((await store.evict([x])).failed).toEqual([{ key: x, reason: 'no-access' }]);
  expect((await store.load(x))?.data.byteLength).toBe(100);
  expect([store.location(x), store.spillCounters.writeCount]).toEqual(['ram', 0]);
  store.free(x);
  await store.close();
  expect(store.managedBytes).toBe(0);
});

test('people are told why, where, what became of the values and what to do', () => {
  expect(spillRefusalText('disk-full', '/data/spill')).toBe(
    'Values cannot be spilled to /data/spill: the disk is full. Free space there, or point worker.local-directory to a larger disk. Until then they stay in memory.',
  );
});

describe('when a record cannot be read', () => {
  async function spilled() {
    const parts = aStore();
    parts.store.put(x, noise(100));
    await evicted(parts.store, parts.disk, x);
    return parts;
  }

  test.each(['damaged', 'gone'] as const)('%s: the value is lost, and that is said', async (reason) => {
    const { store, disk, lost } = await spilled();
    disk.spoil({ segment: 1, offset: 0 }, reason);
    const loading = store.load(x);
    await settle(disk);

    expect([await loading, lost, store.has(x), store.spilledBytes]).toEqual([undefined, [x], false, 0]);
  });

  test('for the moment only: the load is refused, and the value is still held', async () => {
    const { store, disk, lost } = await spilled();
    disk.spoil({ segment: 1, offset: 0 }, 'unavailable');
    const loading = expect(store.load(x)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await settle(disk);
    await loading;
    expect([lost, store.location(x)]).toEqual([[], 'disk']);
  });

  test('one who streams it can say so, and a copy in RAM stays', async () => {
    const { store, disk, lost } = await spilled();
    const read = store.openRead(x)!;
    const loading = store.load(x);
    await settle(disk);
    await loading;

    store.reportUnreadable(read, 'damaged');
    read.release();

    expect([lost, store.location(x), store.spilledBytes]).toEqual([[], 'ram', 0]);
  });
});
