import { asTaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import { RamStore } from './ram-store.js';

const bytes = (count: number): Payload => ({ encoding: 'bytes', data: new Uint8Array(count) });
const [x, y] = [asTaskKey('x'), asTaskKey('y')];

test('managed bytes are the sum of the values held, whatever is put and freed', async () => {
  const store = new RamStore();
  store.put(x, bytes(10));
  store.put(y, bytes(5));
  expect(store.managedBytes).toBe(15);
  store.free(x);
  store.free(x);
  expect(store.managedBytes).toBe(5);
  expect(store.peek(x)).toBeUndefined();
  expect((await store.load(y))?.data.byteLength).toBe(5);
});

test('a value is immutable: putting its key again changes nothing', () => {
  const store = new RamStore();
  const first = bytes(10);
  store.put(x, first);
  store.put(x, bytes(99));
  expect(store.peek(x)).toBe(first);
  expect(store.managedBytes).toBe(10);
});

test('dropped shared buffers are told of: freed ones, and a second copy of a value; ordinary ones V8 counts itself', () => {
  const dropped: number[] = [];
  const store = new RamStore((count) => dropped.push(count));
  const shared = (count: number): Payload => ({
    encoding: 'bytes',
    data: new Uint8Array(new SharedArrayBuffer(count)),
  });
  store.put(x, shared(10));
  store.put(x, shared(11));
  store.put(y, bytes(12));
  expect(dropped).toEqual([11]);
  store.free(x);
  store.free(x);
  store.free(y);
  expect(dropped).toEqual([11, 10]);
});
