import { setImmediate } from 'node:timers/promises';
import type { TaskKey } from '@spillway/kernel';
import { FakeDisk, type FakeDiskOptions } from './testing/fake-disk.js';
import { keyOf, noise } from './testing/spill-rig.js';
import { TwoTierStore, type TwoTierStoreOptions } from './two-tier-store.js';

const MIB = 1024 * 1024;
const [x, y, z] = [keyOf('x'), keyOf('y'), keyOf('z')];

function aStore(options: Partial<TwoTierStoreOptions> = {}, diskOptions: FakeDiskOptions = {}) {
  const disk = new FakeDisk({ segmentBytes: 64 * MIB, ...diskOptions });
  const lost: TaskKey[] = [];
  const store = new TwoTierStore({
    disk,
    folder: 'fake',
    maxSpillBytes: false,
    onLost: (keys) => lost.push(...keys),
    ...options,
  });
  return { disk, lost, store };
}

/** Has the disk do what it is asked until it is asked nothing more. */
async function settle(disk: FakeDisk): Promise<void> {
  for (;;) {
    await setImmediate();
    if (!disk.step()) break;
  }
}

async function evicted(store: TwoTierStore, disk: FakeDisk, ...keys: TaskKey[]): Promise<void> {
  const evicting = store.evict(keys, 0);
  await settle(disk);
  expect((await evicting).failed).toEqual([]);
}

test('a value leaves RAM only once it is on disk', async () => {
  const { store, disk } = aStore();
  store.put(x, noise(5000));
  const evicting = store.evict([x], 0);

  expect([store.location(x), store.managedBytes, store.pendingSpillBytes]).toEqual(['ram', 5000, 5000]);
  disk.step();
  expect(await evicting).toEqual({ evicted: [{ key: x, bytes: 5000 }], failed: [] });

  expect([store.location(x), store.managedBytes, store.pendingSpillBytes]).toEqual(['disk', 0, 0]);
  expect(store.peek(x)).toBeUndefined();
  expect(store.spilledBytes).toBeGreaterThan(5000);
});

test('a value that was read back keeps its copy on disk, so that evicting it again writes nothing', async () => {
  const { store, disk } = aStore();
  store.put(x, noise(5000));
  await evicted(store, disk, x);
  const { writtenBytes } = disk;

  const loading = store.load(x);
  await settle(disk);
  expect(Buffer.compare((await loading)!.data, noise(5000).data)).toBe(0);
  expect([store.location(x), store.cleanBytes]).toEqual(['both', 5000]);

  expect(await store.evict([x], 0)).toEqual({ evicted: [{ key: x, bytes: 5000 }], failed: [] });
  expect([store.location(x), disk.writtenBytes, disk.waitingCount]).toEqual(['disk', writtenBytes, 0]);
});

test('all who load a value while it is being read share one read', async () => {
  const { store, disk } = aStore();
  store.put(x, noise(100));
  await evicted(store, disk, x);

  const loads = [store.load(x), store.load(x), store.load(x)];
  await settle(disk);

  const [first, ...others] = await Promise.all(loads);
  expect(disk.readCount).toBe(1);
  expect(others).toEqual([first, first]);
  expect(store.peek(x)).toBe(first);
});

test('freeing reads nothing, in whatever tier the value is', async () => {
  const { store, disk } = aStore();
  for (const key of [x, y]) store.put(key, noise(100));
  await evicted(store, disk, x);

  for (const key of [x, y, z]) store.free(key);
  await settle(disk);

  expect([disk.readCount, store.keyCount, store.managedBytes, store.spilledBytes]).toEqual([0, 0, 0, 0]);
  expect(disk.segments.size).toBe(0);
});

test('a value that is freed while it waits to be written is not written', async () => {
  const { store, disk } = aStore();
  const keys = Array.from({ length: 6 }, (_, index) => keyOf(index));
  for (const key of keys) store.put(key, noise(100_000));
  const evicting = store.evict(keys, 0);
  store.free(keys[5]!);

  expect(store.pendingSpillBytes).toBe(500_000);
  await settle(disk);

  expect((await evicting).failed).toEqual([{ key: keys[5], reason: 'not-held' }]);
  expect(disk.writtenBytes).toBeLessThan(600_000);
});

test('a value that is freed while it is written leaves nothing on disk', async () => {
  const { store, disk } = aStore();
  store.put(x, noise(100));
  const evicting = store.evict([x], 0);
  store.free(x);
  await settle(disk);

  expect((await evicting).failed).toEqual([{ key: x, reason: 'not-held' }]);
  expect([store.has(x), store.spilledBytes, disk.segments.size]).toEqual([false, 0, 0]);
});

test('a key that is put again while its old value is written has the new one', async () => {
  const { store, disk } = aStore();
  store.put(x, noise(100, 1));
  const evicting = store.evict([x], 0);
  store.free(x);
  store.put(x, noise(200, 2));
  await settle(disk);

  expect((await evicting).failed).toEqual([{ key: x, reason: 'not-held' }]);
  expect(store.location(x)).toBe('ram');
  expect(Buffer.compare((await store.load(x))!.data, noise(200, 2).data)).toBe(0);
});

test('a key that is put again while its old value is read gives the new one to those who wait', async () => {
  const { store, disk } = aStore();
  store.put(x, noise(100, 1));
  await evicted(store, disk, x);
  const loading = store.load(x);
  store.free(x);
  store.put(x, noise(200, 2));
  await settle(disk);

  expect(Buffer.compare((await loading)!.data, noise(200, 2).data)).toBe(0);
});

test('a value that a task has begun to use meanwhile stays in RAM, and is clean from then on', async () => {
  const inUse = new Set<TaskKey>();
  const { store, disk } = aStore({ isInUse: (key) => inUse.has(key) });
  store.put(x, noise(100));
  const evicting = store.evict([x], 0);
  inUse.add(x);
  await settle(disk);

  expect(await evicting).toEqual({ evicted: [], failed: [{ key: x, reason: 'in-use' }] });
  expect([store.location(x), store.cleanBytes]).toEqual(['both', 100]);
});

test('two evictions of one value at a time write it once', async () => {
  const { store, disk } = aStore();
  store.put(x, noise(1000));
  const evicting = Promise.all([store.evict([x], 0), store.evict([x], 0)]);
  await settle(disk);

  expect((await evicting).map(({ evicted: done }) => done)).toEqual([
    [{ key: x, bytes: 1000 }],
    [{ key: x, bytes: 0 }],
  ]);
  expect(disk.writtenBytes).toBeLessThan(1200);
});

test('no more is with the disk at a time than it can do in a moment', async () => {
  const { store, disk } = aStore();
  const keys = Array.from({ length: 12 }, (_, index) => keyOf(index));
  const twentyMiB = new Uint8Array(new SharedArrayBuffer(20 * MIB));
  for (const key of keys) store.put(key, { encoding: 'bytes', data: twentyMiB });
  void store.evict(keys, 0);
  await setImmediate();

  expect(disk.waitingCount).toBe(4);
  expect(store.pendingSpillBytes).toBe(240 * MIB);
  disk.step();
  await setImmediate();
  expect([disk.waitingCount, store.pendingSpillBytes]).toEqual([4, 220 * MIB]);
  await store.close();
});

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

test('a segment that someone reads stays, whatever is freed', async () => {
  const { store, disk } = aStore();
  store.put(x, noise(100));
  await evicted(store, disk, x);
  const read = store.openRead(x)!;
  store.free(x);
  await settle(disk);
  expect(disk.segments.size).toBe(1);

  read.release();
  read.release();
  await settle(disk);
  expect(disk.segments.size).toBe(0);
});

test('a small view does not keep the large buffer alive that it lies in', () => {
  const dropped: number[] = [];
  const { store } = aStore({ onDropped: (bytes) => dropped.push(bytes) });
  const parent = new SharedArrayBuffer(MIB);
  store.put(x, { encoding: 'bytes', data: new Uint8Array(parent, 64, 64).fill(7) });
  store.put(y, { encoding: 'bytes', data: new Uint8Array(parent) });

  expect(store.peek(x)?.data.buffer.byteLength).toBe(64);
  expect(store.peek(x)?.data.every((byte) => byte === 7)).toBe(true);
  expect(store.peek(y)?.data.buffer).toBe(parent);
  expect([store.managedBytes, dropped]).toEqual([64 + MIB, [64]]);
});

test('every shared buffer that is let go of is counted', async () => {
  const dropped: number[] = [];
  const { store, disk } = aStore({ onDropped: (bytes) => dropped.push(bytes) });
  store.put(x, noise(5_000));
  store.put(x, noise(6_000));
  store.put(y, noise(7_000));
  store.put(z, noise(100));
  await evicted(store, disk, x);
  for (const key of [x, y, z]) store.free(key);

  expect(dropped).toEqual([6_000, 5_000, 7_000]);
});

test('closing gives up what is queued; values stay in RAM', async () => {
  const { store, disk } = aStore();
  const keys = Array.from({ length: 6 }, (_, index) => keyOf(index));
  for (const key of keys) store.put(key, noise(100_000));
  const evicting = store.evict(keys, 0);
  await store.close();

  const { evicted: done, failed } = await evicting;
  expect([done.length, failed.map(({ reason }) => reason)]).toEqual([4, ['closed', 'closed']]);
  expect(disk.isClosed).toBe(true);
  expect((await store.evict([keys[5]!], 0)).failed).toEqual([{ key: keys[5], reason: 'closed' }]);
});
