import { setImmediate } from 'node:timers/promises';
import type { Payload } from '@spillway/messages';
import { GarbageDebt, makeCollector } from './garbage-debt.js';

const shared = (sizeBytes: number): Payload => ({
  encoding: 'bytes',
  data: new Uint8Array(new SharedArrayBuffer(sizeBytes)),
});

test('dropped shared bytes are collected once they are over the budget, and the debt begins anew', async () => {
  let collectedCount = 0;
  const debt = new GarbageDebt(100, () => (collectedCount += 1));

  debt.drop(shared(60));
  debt.drop(shared(40));
  await setImmediate();
  expect(collectedCount).toBe(0);
  expect(debt.bytes).toBe(100);

  debt.drop(shared(1));
  debt.drop(shared(500));
  await setImmediate();
  expect(collectedCount).toBe(1);
  expect(debt.bytes).toBe(0);
});

test('ordinary buffers are no debt: V8 counts them itself', async () => {
  let collectedCount = 0;
  const debt = new GarbageDebt(100, () => (collectedCount += 1));

  debt.drop({ encoding: 'bytes', data: new Uint8Array(1000) });
  await setImmediate();

  expect(debt.bytes).toBe(0);
  expect(collectedCount).toBe(0);
});

test('the collector really collects', async () => {
  const collect = makeCollector();
  const dropped = new WeakRef(shared(1000));
  await setImmediate();

  collect();

  expect(dropped.deref()).toBeUndefined();
});
