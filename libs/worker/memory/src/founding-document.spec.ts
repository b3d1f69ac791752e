/** One test for each promise that the founding document makes about a worker's own memory; what the nanny does is in its library. */
import { asTaskKey } from '@spillway/kernel';
import { asked, evictedKeys, keysOf, Rehearsal } from './testing/index.js';

const GIB = 1024 ** 3;

/** Samples, and climbs the reclaim ladder without effect: what is left then is spilled or pauses. */
function pressed(worker: Rehearsal, processBytes: number): ReturnType<Rehearsal['sample']> {
  worker.sample(processBytes);
  return worker.climb(processBytes);
}

describe('the limit', () => {
  test('thresholds are shares of the limit the worker was given', () => {
    const worker = new Rehearsal({ limitBytes: 4 * GIB });
    expect(evictedKeys(worker.store('a', Math.floor(0.6 * 4 * GIB)))).toEqual([]);
    expect(evictedKeys(worker.store('b', 1))).toEqual(['a']);
  });

  test('without a limit nothing is spilled and nothing is paused', () => {
    const worker = new Rehearsal({ limitBytes: false });
    worker.store('a', 1e12);
    worker.sample(1e12);
    worker.wait(60_000);
    expect(worker.said).toEqual([]);
  });
});

describe('spilling based on managed memory', () => {
  test('each result counts with its size, and their sum is managed memory', () => {
    const worker = new Rehearsal();
    worker.sample(900, { executingCount: 0 });
    worker.store('a', 100);
    worker.store('b', 23);
    expect(worker.machine.readings().countedBytes).toBe(123);
  });

  test('above 60 % of the limit the least recently used go to disk, and at 60 % none does', () => {
    const worker = new Rehearsal();
    for (const name of ['a', 'b', 'c']) worker.store(name, 200);
    expect(worker.said).toEqual([]);
    worker.say({ type: 'value-touched', key: asTaskKey('a') });
    expect(evictedKeys(worker.store('d', 150))).toEqual(['b']);
  });

  test('data on disk is still held, and is read back when it is needed', () => {
    const worker = new Rehearsal();
    worker.store('a', 400);
    const [evict] = asked(worker.store('b', 400), 'evict');
    worker.evicted(evict!);
    expect(worker.machine.placeOf(asTaskKey('a'))).toBe('disk');
    worker.say({ type: 'value-loaded', key: asTaskKey('a') });
    expect(worker.machine.placeOf(asTaskKey('a'))).toBe('both');
  });
});

describe('spilling based on process memory', () => {
  test('above 70 % unused data goes to disk, though managed memory is below its own threshold', () => {
    const worker = new Rehearsal();
    for (const name of ['a', 'b', 'used']) worker.store(name, 60);
    worker.say({ type: 'inputs-pinned', keys: keysOf(['used']) });
    expect(evictedKeys(pressed(worker, 700))).toEqual([]);
    expect(evictedKeys(pressed(worker, 701))).toEqual(['a', 'b']);
  });

  test('that goes on until process memory is at 60 %', () => {
    const worker = new Rehearsal();
    for (const name of ['a', 'b', 'c', 'd']) worker.store(name, 50);
    const [first] = asked(pressed(worker, 701), 'evict');
    expect(first!.keys).toEqual(['a', 'b', 'c']);
    worker.wait(1000);
    worker.evicted(first!);
    const [second] = asked(worker.climb(601), 'evict');
    expect(second!.keys).toEqual(['d']);
    worker.wait(1000);
    worker.evicted(second!);
    worker.climb(600);
    expect(asked(worker.said, 'log-event').at(-1)?.event).toBe('spill.ended');
  });
});

describe('pausing', () => {
  test('above 80 % no further task starts', () => {
    const worker = new Rehearsal({ spillFraction: false });
    expect(asked(worker.sample(800), 'set-status')).toEqual([]);
    expect(asked(worker.sample(801), 'set-status')).toMatchObject([{ status: 'paused' }]);
  });

  test('data is written to disk meanwhile, also what is produced while paused', () => {
    const worker = new Rehearsal();
    worker.store('a', 100);
    expect(evictedKeys(pressed(worker, 850))).toEqual(['a']);
    worker.store('b', 100);
    expect(evictedKeys(worker.sample(950))).toEqual(['b']);
  });

  test('what runs goes on: nothing asks for it to be stopped, and its inputs stay', () => {
    const worker = new Rehearsal();
    worker.store('input', 100);
    worker.say({ type: 'inputs-pinned', keys: keysOf(['input']) });
    for (let seconds = 0; seconds < 60; seconds++) {
      worker.sample(900, { executingCount: 1 });
      worker.wait(1000);
    }
    expect(evictedKeys(worker.said)).toEqual([]);
    expect(asked(worker.said, 'recycle-worker')).toEqual([]);
  });

  test('transfers are throttled to one at a time, and no more once it goes on', () => {
    const worker = new Rehearsal();
    worker.sample(900);
    worker.sample(100);
    worker.sample(100);
    expect(asked(worker.said, 'set-serving-max').map(({ transfersMax }) => transfersMax)).toEqual([1, false]);
  });
});

describe('ending the worker', () => {
  test('is not for the worker itself: above 95 % it is paused, as below', () => {
    const worker = new Rehearsal({ pauseRecycleMs: false });
    worker.sample(960);
    worker.wait(60_000);
    worker.sample(960);
    expect(asked(worker.said, 'recycle-worker')).toEqual([]);
    expect(worker.machine.isPaused).toBe(true);
  });
});

describe('configuring thresholds', () => {
  test('target off: values stay in RAM whatever they come to', () => {
    const worker = new Rehearsal({ targetFraction: false });
    worker.store('a', 5000);
    expect(worker.said).toEqual([]);
  });

  test('spill off: process memory spills nothing, pausing is left', () => {
    const worker = new Rehearsal({ spillFraction: false });
    worker.store('a', 100);
    pressed(worker, 900);
    expect(evictedKeys(worker.said)).toEqual([]);
    expect(worker.machine.isPaused).toBe(true);
  });

  test('pause off: the worker starts tasks whatever it uses, spilling is left', () => {
    const worker = new Rehearsal({ pauseFraction: false });
    worker.store('a', 100);
    expect(evictedKeys(pressed(worker, 900))).toEqual(['a']);
    expect(worker.machine.isPaused).toBe(false);
  });

  test('other fractions move the thresholds', () => {
    const worker = new Rehearsal({ targetFraction: 0.2, spillFraction: 0.3, pauseFraction: 0.4 });
    worker.store('a', 150);
    expect(evictedKeys(worker.store('b', 51))).toEqual(['a']);
    worker.sample(401);
    expect(worker.machine.isPaused).toBe(true);
  });
});

describe('memory readings', () => {
  test('process is what the operating system measured', () => {
    const worker = new Rehearsal();
    worker.sample(432);
    expect(worker.machine.readings().processBytes).toBe(432);
  });

  test('managed leaves out what is spilled, and spilled is what is really on disk', () => {
    const worker = new Rehearsal();
    worker.store('a', 400);
    const [evict] = asked(worker.store('b', 400), 'evict');
    worker.say({
      type: 'evict-done',
      evictId: evict!.evictId,
      evicted: [{ key: asTaskKey('a'), diskBytes: 77 }],
    });
    worker.sample(500);
    expect(worker.machine.readings()).toMatchObject({ managedBytes: 400, spilledBytes: 77 });
  });

  test('unmanaged is the rest of process memory; what appeared in the last 30 s is recent', () => {
    const worker = new Rehearsal();
    worker.store('a', 100);
    worker.sample(150);
    worker.wait(1000);
    worker.sample(250);
    expect(worker.machine.readings()).toMatchObject({
      managedBytes: 100,
      unmanagedOldBytes: 50,
      unmanagedRecentBytes: 100,
    });
  });

  test('unmanaged memory becomes old after 30 s, or the time that is set', () => {
    for (const recentToOldMs of [30_000, 5000]) {
      const worker = new Rehearsal({ recentToOldMs });
      worker.sample(50);
      worker.wait(recentToOldMs);
      worker.sample(150);
      expect(worker.machine.readings().unmanagedRecentBytes).toBe(100);
      worker.wait(1);
      worker.sample(150);
      expect(worker.machine.readings()).toMatchObject({ unmanagedOldBytes: 150, unmanagedRecentBytes: 0 });
    }
  });

  test('managed, unmanaged and unmanaged recent add up to process', () => {
    const worker = new Rehearsal();
    worker.store('a', 333);
    worker.sample(500);
    worker.sample(700);
    worker.store('b', 250);
    const { processBytes, managedBytes, unmanagedOldBytes, unmanagedRecentBytes } = worker.machine.readings();
    expect(managedBytes + unmanagedOldBytes + unmanagedRecentBytes).toBe(processBytes);
  });
});

describe('memory not released back to the operating system', () => {
  test('hoarded memory is a part of unmanaged', () => {
    const worker = new Rehearsal();
    worker.store('a', 100);
    worker.sample(300, { hoard: { v8UnusedBytes: 60, mallocFreeBytes: 40 } });
    expect(worker.machine.readings()).toMatchObject({ hoardedBytes: 100, unmanagedOldBytes: 200 });
  });

  test('it is trimmed before anything is spilled for it', () => {
    const worker = new Rehearsal();
    worker.store('a', 100);
    worker.sample(200);
    worker.sample(900, { hoard: { mallocFreeBytes: 700 } });
    worker.climb(200, { hoard: { mallocFreeBytes: 700 } });
    expect(asked(worker.said, 'trim-memory')).toHaveLength(1);
    expect(evictedKeys(worker.said)).toEqual([]);
    expect(asked(worker.said, 'set-status')).toEqual([]);
  });

  test('with an allocator that must not be trimmed, that is asked for once and never again', () => {
    const worker = new Rehearsal({ trimBytes: 10 });
    worker.sample(200, { hoard: { mallocFreeBytes: 20 } });
    worker.say({ type: 'trimmed', durationMs: 0, isSupported: false });
    worker.wait(60_000);
    worker.sample(900, { hoard: { mallocFreeBytes: 700 } });
    worker.say({ type: 'collected', durationMs: 1 });
    worker.wait(60_000);
    expect(asked(worker.said, 'trim-memory')).toHaveLength(1);
  });
});

describe('ignoring process memory', () => {
  test('with spill, pause and terminate off it decides nothing, and managed memory still does', () => {
    const worker = new Rehearsal({ spillFraction: false, pauseFraction: false, terminateFraction: false });
    worker.store('a', 500);
    worker.sample(99_999, { hoard: { v8UnusedBytes: 9999, mallocFreeBytes: 2 ** 40 } });
    worker.wait(60_000);
    expect(worker.said).toEqual([]);
    expect(evictedKeys(worker.store('b', 500))).toEqual(['a']);
  });
});

describe('user-defined containers', () => {
  test('one that cannot evict: target and spill are off, pausing is left', () => {
    const worker = new Rehearsal({ targetFraction: false, spillFraction: false });
    worker.store('a', 5000);
    pressed(worker, 900);
    expect(evictedKeys(worker.said)).toEqual([]);
    expect(worker.machine.isPaused).toBe(true);
  });

  test('one that can evict: target is off, and spill stays active', () => {
    const worker = new Rehearsal({ targetFraction: false });
    worker.store('a', 650);
    worker.store('b', 50);
    expect(worker.said).toEqual([]);
    expect(evictedKeys(pressed(worker, 750))).toEqual(['a']);
  });
});
