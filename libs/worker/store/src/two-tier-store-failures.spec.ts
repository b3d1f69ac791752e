/** What the store does when the disk does not do what it should. */
import { keyOf, noise } from './testing/spill-rig.js';
import { aStore, evicted, settle } from './testing/store-on-fake-disk.js';

const [x, y, z] = [keyOf('x'), keyOf('y'), keyOf('z')];

describe('when the disk fails', () => {
  test('values stay in RAM, and the disk is left alone for a while', async () => {
    const reports: string[] = [];
    const { store, disk } = aStore({
      onTrouble: ({ message }) => reports.push(message),
      retryAfterMs: 1000,
      reportEveryMs: 60_000,
    });
    for (const key of [x, y]) store.put(key, noise(100_000));
    const evicting = store.evict([x], 0);
    disk.step('disk-full');
    expect((await evicting).failed).toEqual([{ key: x, reason: 'disk-full' }]);
    expect([store.location(x), store.managedBytes, store.spillDisabledBecause]).toEqual([
      'ram',
      200_000,
      'disk-full',
    ]);

    expect((await store.evict([y], 999)).failed).toEqual([{ key: y, reason: 'disk-full' }]);
    expect(disk.isAskedToWrite).toBe(false);

    const again = store.evict([y], 1000);
    disk.step();
    expect((await again).evicted).toEqual([{ key: y, bytes: 100_000 }]);
    expect(store.spillDisabledBecause).toBeUndefined();
    expect(reports).toEqual([expect.stringMatching(/^Values cannot be spilled to fake: the disk is full\./)]);
  });

  test('what was queued behind the failure is not tried', async () => {
    const { store, disk } = aStore();
    const keys = Array.from({ length: 10 }, (_, index) => keyOf(index));
    for (const key of keys) store.put(key, noise(100_000));
    const evicting = store.evict(keys, 0);
    for (let count = 0; count < 4; count++) disk.step('read-only');
    await settle(disk);

    expect((await evicting).failed.map(({ reason }) => reason)).toEqual(keys.map(() => 'read-only'));
    expect(disk.writtenBytes).toBe(0);
  });

  test('freed space is used at once', async () => {
    const { store, disk } = aStore({ retryAfterMs: 1000 });
    store.put(x, noise(100_000));
    await evicted(store, disk, x);
    store.put(y, noise(100_000));
    const evicting = store.evict([y], 0);
    disk.step('disk-full');
    await evicting;

    store.free(x);
    await evicted(store, disk, y);
    expect(store.location(y)).toBe('disk');
  });

  test('clean values can still be evicted', async () => {
    const { store, disk } = aStore();
    for (const key of [x, y]) store.put(key, noise(100_000));
    await evicted(store, disk, x);
    const loading = store.load(x);
    await settle(disk);
    await loading;
    const evicting = store.evict([y], 0);
    disk.step('io-error');
    await evicting;

    expect((await store.evict([x], 0)).evicted).toEqual([{ key: x, bytes: 100_000 }]);
  });
});

describe('with a limit', () => {
  test('files never get larger than it, and smaller values may still fit', async () => {
    const reports: string[] = [];
    const { store, disk } = aStore({
      maxSpillBytes: 250_000,
      onTrouble: ({ reason }) => reports.push(reason),
    });
    for (const key of [x, y]) store.put(key, noise(150_000));
    store.put(z, noise(50_000));
    const evicting = store.evict([x, y, z], 0);
    await settle(disk);

    expect(await evicting).toMatchObject({
      evicted: [{ key: x }, { key: z }],
      failed: [{ key: y, reason: 'limit-reached' }],
    });
    expect(store.fileBytes).toBeLessThanOrEqual(250_000);
    expect(reports).toEqual(['limit-reached']);
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

    const refused = store.evict([x], 0);
    await settle(disk);
    expect((await refused).failed).toEqual([{ key: x, reason: 'limit-reached' }]);
    await evicted(store, disk, x);
    expect(store.fileBytes).toBeLessThanOrEqual(4_500);
    expect(store.location(keys[1]!)).toBe('disk');
  });
});

test('on tmpfs nothing is ever written', async () => {
  const { store, disk } = aStore({ refuseBecause: 'folder-is-memory' });
  store.put(x, noise(100));
  expect((await store.evict([x], 1e12)).failed).toEqual([{ key: x, reason: 'folder-is-memory' }]);
  expect([disk.isAskedToWrite, store.spillDisabledBecause]).toEqual([false, 'folder-is-memory']);
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
