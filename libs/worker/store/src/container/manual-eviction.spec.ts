import { asTaskKey } from '@spillway/kernel';
import { Door } from '@spillway/testkit';
import type { Evicted } from '@spillway/value-container';
import { MapContainer, TwoMapContainer } from '@spillway/value-container/testing';
import { aStore, bytes, taken, x, y, z } from './testing/container-rig.js';

test('asks the container until it has freed what the named keys come to; sums are right', async () => {
  const { store } = aStore(new TwoMapContainer());
  expect(store.canEvict).toBe(true);
  await taken(store, x, y, z);
  const outcome = await store.evict([z]);
  expect(outcome).toEqual({ evicted: [{ key: z, diskBytes: 100 }], kept: [], failed: [] });
  expect([store.managedBytes, store.spilledBytes]).toEqual([200, 100]);
  expect(store.location(z)).toBe('disk');
  expect(store.spillCounters).toMatchObject({ writeCount: 1, writeBytes: 100, readCount: 0 });
});

test('bytes that were freed beyond the named count for the next time', async () => {
  class TwoAtATime extends TwoMapContainer {
    evictCount = 0;
    override async evict(): Promise<Evicted> {
      this.evictCount++;
      const both = [await super.evict(), await super.evict()];
      return { freedBytes: both.reduce((sum, one) => sum + ('freedBytes' in one ? one.freedBytes : 0), 0) };
    }
  }
  const container = new TwoAtATime();
  const { store } = aStore(container);
  await taken(store, x, y, z);
  expect((await store.evict([x])).evicted).toHaveLength(1);
  expect([store.managedBytes, store.spilledBytes]).toEqual([100, 200]);
  expect((await store.evict([z])).evicted).toHaveLength(1);
  expect([store.managedBytes, store.spilledBytes]).toEqual([100, 200]);
  expect(container.evictCount).toBe(1);
  store.free(x);
  store.free(z);
  expect([store.managedBytes, store.spilledBytes]).toEqual([100, 0]);
});

test('a container that boasts cannot free more than it has, nor what it has lost since', async () => {
  const container = new TwoMapContainer();
  const { store } = aStore(container);
  await taken(store, x, y, z);
  container.evict = () => Promise.resolve({ freedBytes: 1_000_000 });
  await store.evict([x]);
  expect([store.managedBytes, store.spilledBytes]).toEqual([0, 300]);
  store.free(y);
  expect([store.managedBytes, store.spilledBytes]).toEqual([0, 200]);
  store.put(asTaskKey('new'), bytes(10));
  expect([store.managedBytes, store.spilledBytes]).toEqual([10, 200]);
});

test('a value that is read counts as in RAM again, and can be evicted again', async () => {
  const { store } = aStore(new TwoMapContainer());
  await taken(store, x, y);
  await store.evict([x, y]);
  expect(store.managedBytes).toBe(0);
  await store.load(y);
  expect([store.location(x), store.location(y)]).toEqual(['disk', 'ram']);
  expect(store.managedBytes).toBe(100);
  expect(store.spillCounters).toMatchObject({ readCount: 1, readBytes: 100 });
  expect((await store.evict([y])).evicted).toEqual([{ key: y, diskBytes: 100 }]);
  expect(store.managedBytes).toBe(0);
});

test('once the container has nothing in RAM, what was named is out of it', async () => {
  class KeepsOne extends TwoMapContainer {
    override get fast(): boolean {
      return this.inRam.size > 2;
    }
  }
  const { store, troubles } = aStore(new KeepsOne());
  await taken(store, x, y, z);
  const { evicted, failed } = await store.evict([x, y, z]);
  expect([evicted.length, failed]).toEqual([3, []]);
  expect(store.managedBytes).toBe(0);
  expect(troubles).toEqual([]);
});

test('a value on its way into the container is evicted once it is there', async () => {
  class Slow extends TwoMapContainer {
    readonly door = new Door();
    override async set(key: string, value: Uint8Array): Promise<void> {
      await this.door.pass();
      await super.set(key, value);
    }
  }
  const container = new Slow();
  const { store } = aStore(container);
  store.put(x, bytes(10));
  const evicting = store.evict([x]);
  await container.door.arrived();
  container.door.open();
  expect((await evicting).evicted).toEqual([{ key: x, diskBytes: 10 }]);
  expect(container.fast).toBe(false);
});

test('a reason leaves what is not covered where it is', async () => {
  class Filling extends TwoMapContainer {
    override evict(): Promise<Evicted> {
      return this.elsewhere.size < 1 ? super.evict() : Promise.resolve({ reason: 'the other tier is full' });
    }
  }
  const { store, troubles } = aStore(new Filling());
  await taken(store, x, y);
  expect(await store.evict([x, y])).toEqual({
    evicted: [{ key: x, diskBytes: 100 }],
    kept: [],
    failed: [{ key: y, reason: 'io-error' }],
  });
  expect(troubles.map(({ message }) => message)).toEqual([
    "The container of this worker's values could not move values out of memory: the other tier is full. Values stay in memory. Look at what it writes to (worker.data).",
  ]);
  expect(store.managedBytes).toBe(100);
});

test.each<[string, (container: TwoMapContainer) => void]>([
  ['rejects', (container) => (container.evict = () => Promise.reject(new Error('no')))],
  [
    'throws',
    (container) =>
      (container.evict = () => {
        throw new Error('no');
      }),
  ],
  ['says minus one', (container) => (container.evict = () => Promise.resolve({ freedBytes: -1 }))],
  ['says nothing', (container) => (container.evict = () => Promise.resolve(undefined as never))],
  ['never frees anything', (container) => (container.evict = () => Promise.resolve({ freedBytes: 0 }))],
  [
    'cannot say whether there is something',
    (container) =>
      Object.defineProperty(container, 'fast', {
        get: () => {
          throw new Error('no');
        },
      }),
  ],
])('a container that %s fails the eviction, and nothing else', async (_, spoil) => {
  const container = new TwoMapContainer();
  const { store, troubles } = aStore(container);
  await taken(store, x);
  spoil(container);
  expect(await store.evict([x, y])).toEqual({
    evicted: [],
    kept: [],
    failed: [
      { key: y, reason: 'not-held' },
      { key: x, reason: 'io-error' },
    ],
  });
  expect(troubles.map(({ operation }) => operation)).toEqual(['evict']);
  expect((await store.load(x))?.data.byteLength).toBe(100);
});

test('without manual eviction nothing is evicted', async () => {
  const { store } = aStore(new MapContainer());
  expect(store.canEvict).toBe(false);
  await taken(store, x);
  expect((await store.evict([x])).failed).toEqual([{ key: x, reason: 'io-error' }]);
  expect(store.managedBytes).toBe(100);
});
