import { asTaskKey } from '@spillway/kernel';
import type { MemoryHappening } from '@spillway/worker-memory';
import { aPayload, FakeSpillingStore } from '../testing/fake-spilling-store.js';
import { ManagedStore } from './managed-store.js';

const [x, y] = [asTaskKey('x'), asTaskKey('y')];

let told: MemoryHappening[];
let inner: FakeSpillingStore;
let store: ManagedStore;
beforeEach(() => {
  told = [];
  inner = new FakeSpillingStore();
  store = new ManagedStore(inner, (happening) => told.push(happening));
});

test('the memory machine hears of each value that comes and goes', () => {
  store.put(x, aPayload(7));
  store.free(x);

  expect(told).toEqual([
    { type: 'value-stored', key: x, nbytes: 7 },
    { type: 'value-freed', key: x },
  ]);
  expect(inner.keyCount).toBe(0);
});

test('a value in RAM is touched by being read, one on disk is loaded', async () => {
  store.put(x, aPayload(7));
  store.put(y, aPayload(8));
  await inner.evict([y]);
  told.length = 0;

  expect((await store.load(x))?.data.byteLength).toBe(7);
  expect((await store.load(y))?.data.byteLength).toBe(8);

  expect(told).toEqual([
    { type: 'value-touched', key: x },
    { type: 'value-loaded', key: y },
  ]);
  expect(inner.location(y)).toBe('both');
});

test('a transfer takes a spilled value from where it lies, without bringing it into RAM', async () => {
  store.put(x, aPayload(7));
  await inner.evict([x]);
  told.length = 0;

  expect(await store.serve(x)).toMatchObject({ key: x, path: 'fake' });

  expect(inner.location(x)).toBe('disk');
  expect(told).toEqual([]);
});

test('of a key that is not held there is nothing to read and nothing to tell', async () => {
  expect(await store.load(x)).toBeUndefined();
  expect(await store.serve(x)).toBeUndefined();
  expect(told).toEqual([]);
});

test('a task without inputs pins nothing', () => {
  store.pin([]);
  store.unpin([]);
  store.pin([x, y]);

  expect(told).toEqual([{ type: 'inputs-pinned', keys: [x, y] }]);
});
