import { asked, Rehearsal } from './testing/index.js';

const kinds = (worker: Rehearsal): string[] =>
  worker.said.map(({ type }) => type).filter((type) => type !== 'set-room');

test('isolates or malloc that do not answer are given up after a second each', () => {
  const worker = new Rehearsal();
  worker.sample(750);
  worker.wait(999);
  expect(kinds(worker)).toEqual(['collect-garbage']);
  worker.wait(1);
  expect(kinds(worker)).toEqual(['collect-garbage', 'trim-memory']);
  worker.wait(1100);
  expect(kinds(worker)).toEqual(['collect-garbage', 'trim-memory', 'sample-memory']);
});

test('a late answer of what was given up changes nothing', () => {
  const worker = new Rehearsal();
  worker.sample(750);
  worker.wait(1000);
  expect(worker.say({ type: 'collected', durationMs: 1500 })).toEqual([]);
  worker.say({ type: 'trimmed', durationMs: 1, isSupported: true });
  expect(worker.say({ type: 'trimmed', durationMs: 1, isSupported: true })).toEqual([]);
});

test('a sample that is taken before the memory can have returned is not the answer', () => {
  const worker = new Rehearsal({ pauseFraction: false });
  worker.store('a', 300);
  worker.sample(750);
  worker.say({ type: 'collected', durationMs: 1 });
  worker.say({ type: 'trimmed', durationMs: 1, isSupported: true });
  worker.wait(99);
  expect(asked(worker.sample(900), 'evict')).toEqual([]);
  worker.wait(1);
  expect(asked(worker.sample(900), 'evict')).toHaveLength(1);
});

test('a reclaim that brings nothing is tried again after a second, then two, up to half a minute', () => {
  const worker = new Rehearsal({ spillFraction: false, pauseRecycleMs: false });
  const startedAtMs: number[] = [];
  for (let tenths = 0; tenths < 1500; tenths++) {
    if (asked(worker.sample(850), 'collect-garbage').length > 0) {
      startedAtMs.push(worker.nowMs);
      worker.climb(850);
    } else worker.wait(100);
  }
  const gaps = startedAtMs.slice(1).map((atMs, index) => Math.round((atMs - startedAtMs[index]!) / 1000));
  expect(gaps.slice(0, 7)).toEqual([1, 2, 4, 8, 16, 30, 30]);
});

test('reclaiming takes no more than a tenth of the time, however much is dropped', () => {
  const worker = new Rehearsal({ targetFraction: 0.1 });
  for (let count = 0; count < 40; count++) worker.store(`v${count}`, 5);
  worker.sample(750);
  worker.say({ type: 'collected', durationMs: 400 });
  worker.say({ type: 'trimmed', durationMs: 600, isSupported: true });
  worker.wait(100);
  const [evict] = asked(worker.sample(750), 'evict');
  worker.evicted(evict!);
  expect(asked(worker.said, 'collect-garbage')).toHaveLength(1);
  worker.wait(8999);
  worker.sample(750);
  expect(asked(worker.said, 'collect-garbage')).toHaveLength(1);
  worker.wait(1);
  worker.sample(750);
  expect(asked(worker.said, 'collect-garbage')).toHaveLength(2);
});

describe('garbage that V8 does not collect by itself', () => {
  const MIB = 2 ** 20;

  test('is collected once dropped values exceed the budget, and looked at once more a second later', () => {
    const worker = new Rehearsal({ limitBytes: 1024 * MIB });
    for (const name of ['a', 'b', 'c']) worker.store(name, 30 * MIB);
    const drop = (name: string): ReturnType<Rehearsal['say']> =>
      worker.say({ type: 'value-freed', key: name as never });
    expect([...drop('a'), ...drop('b')]).toEqual([]);
    expect(asked(drop('c'), 'collect-garbage')).toMatchObject([{ why: 'garbage-debt' }]);
    worker.say({ type: 'collected', durationMs: 5 });
    expect(worker.wait(999)).toEqual([]);
    expect(asked(worker.wait(1), 'collect-garbage')).toHaveLength(1);
    worker.say({ type: 'collected', durationMs: 5 });
    expect(worker.wait(60_000)).toEqual([]);
  });

  test('is collected without a limit too, and not at all when that is off', () => {
    for (const [garbageDebtFraction, count] of [
      [0.1, 1],
      [false, 0],
    ] as const) {
      const worker = new Rehearsal({ limitBytes: false, garbageDebtFraction });
      worker.store('a', 129 * MIB);
      worker.say({ type: 'value-freed', key: 'a' as never });
      expect(asked(worker.said, 'collect-garbage')).toHaveLength(count);
    }
  });

  test('does not count as used: what was dropped a moment ago pauses nobody', () => {
    const worker = new Rehearsal();
    worker.store('a', 500);
    worker.sample(700);
    worker.say({ type: 'value-freed', key: 'a' as never });
    worker.sample(850);
    expect(worker.machine.readings()).toMatchObject({ hoardedBytes: 500, liveBytes: 350 });
    expect(worker.machine.isPaused).toBe(false);
    worker.climb(850);
    expect(worker.machine.readings()).toMatchObject({ hoardedBytes: 0, liveBytes: 850 });
    expect(worker.machine.isPaused).toBe(true);
  });
});
