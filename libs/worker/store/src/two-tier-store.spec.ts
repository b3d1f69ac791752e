import { setImmediate } from 'node:timers/promises';
import type { TaskKey } from '@spillway/kernel';
import { recordBytesMax } from './disk/record.js';
import { keyOf, noise } from './testing/spill-rig.js';
import { aStore, evicted, settle } from './testing/store-on-fake-disk.js';

const MIB = 1024 * 1024;
const [x, y, z] = [keyOf('x'), keyOf('y'), keyOf('z')];

test('a value leaves RAM only once it is on disk', async () => {
  const { store, disk } = aStore();
  store.put(x, noise(5000));
  const evicting = store.evict([x]);

  expect([store.location(x), store.managedBytes]).toEqual(['ram', 5000]);
  disk.step();
  expect(await evicting).toEqual({
    evicted: [{ key: x, diskBytes: recordBytesMax(x, 5000) }],
    kept: [],
    failed: [],
  });

  expect([store.location(x), store.managedBytes]).toEqual(['disk', 0]);
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
  expect([store.location(x), store.managedBytes]).toEqual(['both', 5000]);

  expect((await store.evict([x])).evicted).toEqual([{ key: x, diskBytes: recordBytesMax(x, 5000) }]);
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
  const evicting = store.evict(keys);
  store.free(keys[5]!);

  await settle(disk);

  expect((await evicting).failed).toEqual([{ key: keys[5], reason: 'not-held' }]);
  expect(disk.writtenBytes).toBeLessThan(600_000);
});

test('a value that is freed while it is written leaves nothing on disk', async () => {
  const { store, disk } = aStore();
  store.put(x, noise(100));
  const evicting = store.evict([x]);
  store.free(x);
  await settle(disk);

  expect((await evicting).failed).toEqual([{ key: x, reason: 'not-held' }]);
  expect([store.has(x), store.spilledBytes, disk.segments.size]).toEqual([false, 0, 0]);
});

test('a key that is put again while its old value is written has the new one', async () => {
  const { store, disk } = aStore();
  store.put(x, noise(100, 1));
  const evicting = store.evict([x]);
  store.free(x);
  store.put(x, noise(200, 2));
  await settle(disk);

  expect((await evicting).failed).toEqual([{ key: x, reason: 'not-held' }]);
  expect([store.location(x), store.spilledBytes, disk.segments.size]).toEqual(['ram', 0, 0]);
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
  const evicting = store.evict([x]);
  inUse.add(x);
  await settle(disk);

  const { evicted: gone, kept, failed } = await evicting;
  const diskBytes = recordBytesMax(x, 100);
  expect([gone, kept, failed]).toEqual([[], [{ key: x, diskBytes }], []]);
  expect(store.location(x)).toBe('both');
  expect((await store.evict([x])).kept).toEqual([{ key: x, diskBytes }]);

  inUse.delete(x);
  expect((await store.evict([x])).evicted).toEqual([{ key: x, diskBytes }]);
  expect(store.location(x)).toBe('disk');
});

test('two evictions of one value at a time write it once', async () => {
  const { store, disk } = aStore();
  store.put(x, noise(1000));
  const evicting = Promise.all([store.evict([x]), store.evict([x])]);
  await settle(disk);

  expect((await evicting).map(({ evicted: done }) => done)).toEqual([
    [{ key: x, diskBytes: recordBytesMax(x, 1000) }],
    [{ key: x, diskBytes: recordBytesMax(x, 1000) }],
  ]);
  expect(disk.writtenBytes).toBeLessThan(1200);
});

test('no more is with the disk at a time than it can do in a moment', async () => {
  const { store, disk } = aStore();
  const keys = Array.from({ length: 12 }, (_, index) => keyOf(index));
  const twentyMiB = new Uint8Array(new SharedArrayBuffer(20 * MIB));
  for (const key of keys) store.put(key, { encoding: 'bytes', data: twentyMiB });
  void store.evict(keys);
  await setImmediate();

  expect(disk.waitingCount).toBe(4);
  disk.step();
  await setImmediate();
  expect(disk.waitingCount).toBe(4);
  await store.close();
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
  const { store } = aStore();
  const parent = new SharedArrayBuffer(MIB);
  store.put(x, { encoding: 'bytes', data: new Uint8Array(parent, 64, 64).fill(7) });
  store.put(y, { encoding: 'bytes', data: new Uint8Array(parent) });

  expect(store.peek(x)?.data.buffer.byteLength).toBe(64);
  expect(store.peek(x)?.data.every((byte) => byte === 7)).toBe(true);
  expect(store.peek(y)?.data.buffer).toBe(parent);
  expect(store.managedBytes).toBe(64 + MIB);
});

test('a key that is put again is left as it is', () => {
  const { store } = aStore();
  const first = noise(5_000);
  store.put(x, first);
  store.put(x, noise(6_000));

  expect(store.peek(x)).toBe(first);
  expect([store.managedBytes, store.keyCount]).toEqual([5_000, 1]);
});

test('closing gives up what is queued; values stay in RAM', async () => {
  const { store, disk } = aStore();
  const keys = Array.from({ length: 6 }, (_, index) => keyOf(index));
  for (const key of keys) store.put(key, noise(100_000));
  const evicting = store.evict(keys);
  await store.close();

  const { evicted: done, failed } = await evicting;
  expect([done.length, failed.map(({ reason }) => reason)]).toEqual([4, ['closed', 'closed']]);
  expect(disk.isClosed).toBe(true);
  expect((await store.evict([keys[5]!])).failed).toEqual([{ key: keys[5], reason: 'closed' }]);
});
