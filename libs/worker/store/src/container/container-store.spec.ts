import { asTaskKey } from '@spillway/kernel';
import { Door } from '@spillway/testkit';
import { MapContainer } from '@spillway/value-container/testing';
import { aStore, bytes, taken, x, y, z } from './testing/container-rig.js';

/** Every `set` waits at a door, and fails while `isBroken`. */
class SlowContainer extends MapContainer {
  readonly door = new Door();
  readonly asked: string[] = [];
  isBroken = false;

  override async set(key: string, value: Uint8Array): Promise<void> {
    this.asked.push(`set ${key}`);
    await this.door.pass();
    if (this.isBroken) throw new Error('the disk is full');
    await super.set(key, value);
  }

  override get(key: string): Promise<Uint8Array | undefined> {
    this.asked.push(`get ${key}`);
    return super.get(key);
  }

  override delete(key: string): Promise<void> {
    this.asked.push(`delete ${key}`);
    return super.delete(key);
  }
}

test('a value is in RAM until the container has taken it, and comes back with its encoding', async () => {
  const container = new SlowContainer();
  const { store } = aStore(container);
  const payload = bytes(100);
  store.put(x, payload);
  await container.door.arrived();
  expect(store.peek(x)).toBe(payload);
  expect(await store.load(x)).toBe(payload);
  expect(await container.count()).toBe(0);

  container.door.open();
  await taken(store, y);
  expect(store.peek(x)).toBeUndefined();
  expect(await store.load(x)).toEqual(payload);
  expect(store.location(x)).toBe('ram');
  expect(store.managedBytes).toBe(200);
  expect([...store.keys()]).toEqual([x, y]);
  expect(store.openRead()).toBeUndefined();
});

test('a key that is put again is left as it is', async () => {
  const container = new SlowContainer();
  const { store } = aStore(container);
  container.door.open();
  store.put(x, bytes(10));
  store.put(x, bytes(11));
  await store.close();
  expect(container.asked).toEqual(['set x']);
  expect([store.managedBytes, (await store.load(x))?.data.byteLength]).toEqual([10, 10]);
});

test('a small part of a large buffer is given in a buffer of its own', async () => {
  const container = new MapContainer();
  const { store } = aStore(container);
  store.put(x, { encoding: 'bytes', data: new Uint8Array(100_000).fill(3).subarray(10, 20) });
  await store.close();
  const stored = await container.get(x);
  expect(stored).toEqual(new Uint8Array(10).fill(3));
  expect(stored?.buffer.byteLength).toBe(10);
});

test('so many sets are under way at a time, the others wait', async () => {
  const container = new SlowContainer();
  const { store } = aStore(container);
  for (let index = 0; index < 40; index++) store.put(asTaskKey(`k${index}`), bytes(10));
  await container.door.arrived(16);
  expect(container.asked).toHaveLength(16);
  container.door.open();
  await taken(store, x);
  expect(await container.count()).toBe(41);
});

test('freeing does not read; what was not begun is not set at all, and what was is deleted after', async () => {
  const container = new SlowContainer();
  const { store } = aStore(container);
  store.put(x, bytes(10));
  await container.door.arrived();
  for (let index = 0; index < 15; index++) store.put(asTaskKey(`k${index}`), bytes(10));
  store.put(y, bytes(20));
  store.free(x);
  store.free(y);
  store.free(y);
  expect(store.managedBytes).toBe(150);
  expect(store.has(x)).toBe(false);
  container.door.open();
  await store.close();
  expect(container.asked.filter((asked) => /[xy]$/.test(asked))).toEqual(['set x', 'delete x']);
  expect(await container.get(x)).toBeUndefined();
});

test('a key that is freed and put again while it is being written ends with its last value', async () => {
  const container = new SlowContainer();
  const { store } = aStore(container);
  store.put(x, bytes(10, 1));
  await container.door.arrived();
  store.free(x);
  store.put(x, bytes(10, 2));
  container.door.open();
  await taken(store, y);
  expect(container.asked).toEqual(['set x', 'set y', 'delete x', 'set x']);
  expect((await store.load(x))?.data).toEqual(new Uint8Array(10).fill(2));
});

test('what the container refuses stays in RAM, is told once, and is tried again when others are taken', async () => {
  const container = new SlowContainer();
  const { store, troubles } = aStore(container);
  container.door.open();
  container.isBroken = true;
  store.put(x, bytes(10));
  store.put(y, bytes(20));
  await container.door.arrived(2);
  await new Promise(setImmediate);
  expect(store.peek(x)).toEqual(bytes(10));
  expect(store.managedBytes).toBe(30);
  expect(troubles.map(({ operation, message }) => [operation, message])).toEqual([
    [
      'set',
      "The container of this worker's values did not take x: the disk is full. Values that it does not take stay in memory. Look at what it writes to (worker.data).",
    ],
  ]);

  container.isBroken = false;
  await taken(store, z);
  await store.close();
  expect([store.peek(x), store.peek(y)]).toEqual([undefined, undefined]);
  expect(await container.count()).toBe(3);
});

test('a value that is refused every time is not tried for ever', async () => {
  class Picky extends SlowContainer {
    override async set(key: string, value: Uint8Array): Promise<void> {
      await super.set(key, value);
      if (key === 'x') throw new Error('not this one');
    }
  }
  const container = new Picky();
  const { store } = aStore(container);
  container.door.open();
  store.put(x, bytes(10));
  for (let index = 0; index < 20; index++) await taken(store, asTaskKey(`k${index}`));
  expect(container.asked.filter((asked) => asked === 'set x')).toHaveLength(3);
  expect(store.peek(x)).toEqual(bytes(10));
});

test.each<[string, () => Promise<Uint8Array | undefined>, string]>([
  ['says that it is not there', () => Promise.resolve(undefined), 'gone'],
  ['gives null', () => Promise.resolve(null as unknown as undefined), 'gone'],
  ['gives fewer bytes', () => Promise.resolve(new Uint8Array(99)), 'damaged'],
  ['gives text', () => Promise.resolve('x'.repeat(100) as unknown as Uint8Array), 'damaged'],
  ['rejects', () => Promise.reject(new Error('no connection')), 'gone'],
  [
    'throws',
    () => {
      throw new Error('no connection');
    },
    'gone',
  ],
])('a value of which the container %s is lost, never wrong', async (_, get, reason) => {
  const container = new MapContainer();
  const { store, lost } = aStore(container);
  await taken(store, x, y);
  container.get = get;
  expect(await Promise.all([store.load(x), store.load(x)])).toEqual([undefined, undefined]);
  expect(lost).toEqual([[x, reason]]);
  expect(store.has(x)).toBe(false);
  expect(store.managedBytes).toBe(100);
  await store.close();
  expect(await container.count()).toBe(1);
});

test('a value that is freed while it is being read is not given, nor called lost', async () => {
  const door = new Door();
  class SlowlyRead extends MapContainer {
    override async get(key: string): Promise<Uint8Array | undefined> {
      const value = await super.get(key);
      await door.pass();
      return value;
    }
  }
  const { store, lost } = aStore(new SlowlyRead());
  await taken(store, x);
  const loading = store.load(x);
  await door.arrived();
  store.free(x);
  store.put(x, bytes(10, 9));
  door.open();
  expect(await loading).toEqual(bytes(10, 9));
  expect(lost).toEqual([]);
});

test('closing waits for what is under way, gives the container nothing more, and closes what was made for the worker', async () => {
  const order: string[] = [];
  class Closing extends SlowContainer {
    override async set(key: string, value: Uint8Array): Promise<void> {
      await super.set(key, value);
      order.push(`set ${key}`);
    }
    close(): Promise<void> {
      order.push('close');
      return Promise.reject(new Error('busy'));
    }
  }
  const container = new Closing();
  const { store, troubles } = aStore(container);
  for (let index = 0; index < 16; index++) store.put(asTaskKey(`k${index}`), bytes(10));
  store.put(x, bytes(10));
  const closing = store.close();
  await container.door.arrived(16);
  container.door.open();
  await closing;
  expect(order).toHaveLength(17);
  expect(order.at(-1)).toBe('close');
  expect(store.peek(x)).toEqual(bytes(10));
  expect(troubles.map(({ operation }) => operation)).toEqual(['close']);
  store.free(asTaskKey('k0'));
  expect(container.asked).not.toContain('delete k0');

  const own = new Closing();
  own.door.open();
  await aStore(own, false).store.close();
  expect(order).toHaveLength(17);
});
