import { asTaskKey } from '@spillway/kernel';
import type { MemoryInstruction } from './instructions.js';
import { asked, evictedKeys, keysOf, Rehearsal } from './testing/index.js';

const free = (worker: Rehearsal, name: string): MemoryInstruction[] =>
  worker.say({ type: 'value-freed', key: asTaskKey(name) });

function evictOf(instructions: readonly MemoryInstruction[]): Extract<MemoryInstruction, { type: 'evict' }> {
  const [evict] = asked(instructions, 'evict');
  if (evict === undefined) throw new Error('nothing is evicted');
  return evict;
}

describe('evictions', () => {
  test('every instruction repeats the cause of its event', () => {
    const worker = new Rehearsal();
    const instructions = worker.store('a', 700);
    expect(new Set(instructions.map(({ stimulusId }) => stimulusId))).toEqual(new Set(['event-1']));
  });

  test('a value that is freed while it leaves is gone, and is no debt any more', () => {
    const worker = new Rehearsal();
    const evict = evictOf(worker.store('a', 700));
    expect(worker.machine.readings().spillDebtBytes).toBe(700);
    free(worker, 'a');
    expect(worker.machine.readings()).toMatchObject({ spillDebtBytes: 0, countedBytes: 0, keyCount: 0 });
    worker.evicted(evict);
    expect(worker.machine.placeOf(asTaskKey('a'))).toBeUndefined();
  });

  test('the outcome for a freed value says nothing about another one of the same key', () => {
    const worker = new Rehearsal();
    const old = evictOf(worker.store('a', 700));
    free(worker, 'a');
    worker.store('a', 50);
    worker.evicted(old);
    expect(worker.machine.placeOf(asTaskKey('a'))).toBe('ram');
    expect(worker.machine.readings().countedBytes).toBe(50);
  });

  test('storing a key again is reading it', () => {
    const worker = new Rehearsal();
    worker.store('a', 300);
    worker.store('b', 300);
    worker.store('a', 300);
    expect(worker.machine.readings().countedBytes).toBe(600);
    expect(evictedKeys(worker.store('c', 1))).toEqual(['b']);
  });

  test('no more is evicted while what is leaving will do', () => {
    const worker = new Rehearsal();
    worker.store('a', 400);
    worker.store('b', 300);
    worker.store('c', 300);
    expect(evictedKeys(worker.said)).toEqual(['a']);
  });

  test('very many small values leave in several rounds, each with the outcome of the one before', () => {
    const worker = new Rehearsal({ limitBytes: 10_000, targetFraction: 0.9 });
    for (let count = 0; count < 4000; count++) worker.store(`v${count}`, 1);
    let evict = evictOf(worker.say({ type: 'limit-changed', limitBytes: 1000 }));
    expect(evict.keys).toHaveLength(1000);
    let roundCount = 1;
    for (
      let more: MemoryInstruction[];
      (more = asked(worker.evicted(evict), 'evict')).length > 0;
      roundCount++
    )
      evict = evictOf(more);
    expect(roundCount).toBe(4);
    expect(worker.machine.readings().countedBytes).toBe(900);
  });

  test('a value is pinned before it is there, and as often as tasks use it', () => {
    const worker = new Rehearsal();
    worker.say({ type: 'inputs-pinned', keys: keysOf(['a', 'a']) });
    expect(worker.store('a', 900)).toEqual([]);
    expect(worker.say({ type: 'inputs-unpinned', keys: keysOf(['a']) })).toEqual([]);
    expect(evictedKeys(worker.say({ type: 'inputs-unpinned', keys: keysOf(['a']) }))).toEqual(['a']);
  });

  test('unpinning more often than pinning is our own mistake', () => {
    const worker = new Rehearsal();
    expect(() => worker.say({ type: 'inputs-unpinned', keys: keysOf(['a']) })).toThrow(/unpinned more often/);
  });

  test('events about keys that are not held are ignored', () => {
    const worker = new Rehearsal();
    const key = asTaskKey('nobody');
    for (const type of ['value-touched', 'value-loaded', 'value-freed'] as const) worker.say({ type, key });
    worker.say({ type: 'evict-done', evictId: 7, evicted: [{ key, diskBytes: 1 }] });
    worker.say({ type: 'evict-failed', evictId: 7, keys: [key], reason: 'disk-full' });
    expect(worker.said).toEqual([]);
  });
});

describe('spilling by process memory', () => {
  test('what is on disk already goes first, though it was used more recently', () => {
    const worker = new Rehearsal();
    worker.store('dirty', 200);
    const adopted = { key: asTaskKey('clean'), nbytes: 200, diskBytes: 10 };
    worker.say({ type: 'values-adopted', values: [adopted] });
    worker.say({ type: 'value-loaded', key: asTaskKey('clean') });
    const instructions = worker.sample(750);
    expect(instructions.map(({ type }) => type)).toEqual(['evict', 'collect-garbage', 'set-room']);
    expect(evictedKeys(instructions)).toEqual(['clean']);
    expect(worker.machine.readings().spillDebtBytes).toBe(0);
  });

  test('memory that is freed and has not shown yet is not freed twice', () => {
    const worker = new Rehearsal({ pauseFraction: false });
    for (let count = 0; count < 10; count++) worker.store(`v${count}`, 50);
    worker.sample(720);
    const evict = evictOf(worker.climb(720));
    expect(evict.keys).toHaveLength(3);
    worker.evicted(evict);
    for (let samples = 0; samples < 5; samples++) expect(evictedKeys(worker.sample(720))).toEqual([]);
  });

  test('a fall of process memory is credited to what was dropped', () => {
    const worker = new Rehearsal({ pauseFraction: false });
    for (let count = 0; count < 10; count++) worker.store(`v${count}`, 50);
    worker.sample(750);
    worker.evicted(evictOf(worker.climb(750)));
    worker.sample(600);
    expect(worker.machine.readings().hoardedBytes).toBe(0);
  });
});

describe('credit', () => {
  test('exactly the budget is not over it, and what is dropped without writing is no debt', () => {
    const worker = new Rehearsal({ spillDebtFraction: 0.1 });
    worker.store('a', 100);
    worker.store('b', 500);
    expect(asked(worker.store('c', 100), 'set-admission')).toEqual([]);
    expect(worker.machine.readings().spillDebtBytes).toBe(100);
    expect(asked(worker.store('d', 1), 'set-admission')).toMatchObject([{ admission: 'closed' }]);
  });

  test('a disk that refuses is no debt: tasks go on, one at a time', () => {
    const worker = new Rehearsal();
    const evict = evictOf(worker.store('a', 700));
    expect(worker.machine.admission).toBe('closed');
    worker.say({ type: 'evict-failed', evictId: evict.evictId, keys: evict.keys, reason: 'disk-full' });
    expect(worker.machine.admission).toBe('one-at-a-time');
    free(worker, 'a');
    expect(worker.machine.admission).toBe('open');
  });

  test('a disk that keeps refusing is spoken of once', () => {
    const worker = new Rehearsal();
    for (const name of ['a', 'b', 'c']) worker.store(name, 300);
    for (let minutes = 0; minutes < 5; minutes++) {
      for (const { evictId, keys } of asked(worker.said.splice(0), 'evict'))
        worker.say({ type: 'evict-failed', evictId, keys, reason: 'read-only' });
      if (minutes > 0) expect(asked(worker.said, 'log-event')).toEqual([]);
      else
        expect(asked(worker.said, 'log-event')).toMatchObject([
          { event: 'spill.refused', detail: 'read-only' },
        ]);
      worker.wait(60_000);
    }
  });
});

describe('pausing', () => {
  test('looking at an old sample again, with another limit, is not a second sample', () => {
    const worker = new Rehearsal();
    worker.sample(850);
    worker.sample(700);
    worker.say({ type: 'limit-changed', limitBytes: 2000 });
    worker.say({ type: 'limit-changed', limitBytes: 2000 });
    expect(worker.machine.isPaused).toBe(true);
    worker.sample(700);
    expect(worker.machine.isPaused).toBe(false);
  });

  test('its clocks can be off, and begin anew with each pause', () => {
    const off = new Rehearsal({ pauseReturnMs: false, pauseRecycleMs: false });
    off.sample(900);
    off.climb(900);
    off.wait(600_000);
    expect(asked(off.said, 'hand-back-unstarted')).toEqual([]);

    const on = new Rehearsal({ pauseRecycleMs: false });
    for (let count = 0; count < 2; count++) {
      on.sample(900);
      on.wait(5000);
      on.sample(100);
      on.sample(100);
    }
    expect(asked(on.said, 'hand-back-unstarted')).toHaveLength(2);
  });

  test('a worker asks to be recycled once, and not while values leave', () => {
    const worker = new Rehearsal();
    worker.store('a', 300);
    worker.sample(900);
    const evict = evictOf(worker.climb(900));
    worker.wait(60_000);
    worker.sample(900);
    expect(asked(worker.said, 'recycle-worker')).toEqual([]);
    worker.evicted(evict);
    for (let samples = 0; samples < 5; samples++) {
      worker.climb(900);
      worker.wait(1000);
    }
    expect(asked(worker.said, 'recycle-worker')).toHaveLength(1);
  });

  test.each([
    [
      'asks for a fresh process when that would have room for the values beside what an idle one takes',
      449,
      1,
    ],
    ['asks for none when it would soon stand where this one does, with its values to be made again', 451, 0],
  ])('a worker that cannot spill %s', (_what, managedBytes, recycleCount) => {
    const worker = new Rehearsal({ targetFraction: false, spillFraction: false });
    worker.sample(300);
    worker.store('a', managedBytes);
    for (let samples = 0; samples < 20; samples++) {
      worker.sample(900);
      worker.climb(900);
      worker.wait(1000);
    }
    expect(asked(worker.said, 'recycle-worker')).toHaveLength(recycleCount);
  });

  test('lines about it carry every number', () => {
    const worker = new Rehearsal();
    worker.store('a', 300);
    const [line] = asked(worker.sample(900, { hoard: { v8UnusedBytes: 50 } }), 'log-event');
    expect(line).toMatchObject({ event: 'worker.paused', level: 'warn' });
    expect(line!.numbers).toEqual({
      processBytes: 900,
      limitBytes: 1000,
      fraction: 0.9,
      threshold: 'pause',
      thresholdBytes: 800,
      managedBytes: 300,
      countedBytes: 300,
      unmanagedOldBytes: 600,
      unmanagedRecentBytes: 0,
      hoardedBytes: 50,
      liveBytes: 900,
      spilledBytes: 0,
      spillDebtBytes: 0,
    });
  });
});

describe('thresholds', () => {
  test.each([0.57, 0.1, 0.29, 0.7, 1 / 3])('a share of %p is compared exactly', (targetFraction) => {
    const limitBytes = 100;
    const worker = new Rehearsal({ limitBytes, targetFraction });
    const threshold = Math.floor(Math.round(limitBytes * targetFraction * 1e9) / 1e9);
    expect(worker.store('a', threshold)).toEqual([]);
    expect(evictedKeys(worker.store('b', 1))).toEqual(['a']);
  });

  test('with terminate alone, memory is reclaimed before the nanny would act, and nothing else happens', () => {
    const worker = new Rehearsal({ spillFraction: false, pauseFraction: false });
    worker.store('a', 500);
    expect(worker.sample(850).map(({ type }) => type)).toEqual(['set-room']);
    expect(worker.sample(851).map(({ type }) => type)).toEqual(['collect-garbage']);
    worker.climb(940);
    expect(evictedKeys(worker.said)).toEqual([]);
    expect(worker.machine.isPaused).toBe(false);
  });
});
