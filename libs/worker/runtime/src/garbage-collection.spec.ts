import type { Timers } from '@spillway/ports';
import { GarbageDebt } from '@spillway/worker-memory';
import { GarbageCollection } from './garbage-collection.js';

function aCollection(): { collection: GarbageCollection; asked: () => number; passTime: () => void } {
  let askedCount = 0;
  const waiting = new Set<() => void>();
  const after: Timers['after'] = (_delayMs, call) => {
    waiting.add(call);
    return { cancel: () => waiting.delete(call) };
  };
  const timers: Timers = { after, every: after, soon: (call) => call() };
  const askIsolates = (): void => {
    askedCount += 1;
  };
  return {
    collection: new GarbageCollection({ debt: new GarbageDebt(100), timers, askIsolates }),
    asked: () => askedCount,
    passTime: () => {
      for (const call of [...waiting]) {
        waiting.delete(call);
        call();
      }
    },
  };
}

test('isolates are asked when the debt is over its budget, and once more when nothing follows', () => {
  const { collection, asked, passTime } = aCollection();
  collection.dropped(100);
  passTime();
  expect(asked()).toBe(0);
  collection.dropped(1);
  expect(asked()).toBe(1);
  passTime();
  passTime();
  expect(asked()).toBe(2);
});

test('a stopped collection asks nobody any more', () => {
  const { collection, asked, passTime } = aCollection();
  collection.dropped(101);
  collection.stop();
  passTime();
  expect(asked()).toBe(1);
});
