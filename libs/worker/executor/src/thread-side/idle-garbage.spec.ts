import type { Timers } from '@spillway/ports';
import { IdleGarbage } from './idle-garbage.js';

const MiB = 1024 * 1024;

/** A thread that occupies what `occupied.bytes` says; `pass` lets the time pass that it waits for. */
function aRig() {
  const due: (() => void)[] = [];
  const occupied = { bytes: 10 * MiB };
  let collectCount = 0;
  const timers: Timers = {
    after: (_delayMs, call) => (due.push(call), { cancel: () => undefined }),
    every: () => ({ cancel: () => undefined }),
    soon: () => undefined,
  };
  const garbage = new IdleGarbage({
    timers,
    occupiedBytes: () => occupied.bytes,
    collect: () => collectCount++,
  });
  return {
    garbage,
    occupied,
    due,
    pass: () => due.shift()?.(),
    collectCount: () => collectCount,
    runTo: (bytes: number) => {
      occupied.bytes = bytes;
      garbage.runEnded();
      garbage.idle();
    },
  };
}

test('a thread that has nothing to do collects what its tasks left, once', () => {
  const { garbage, occupied, pass, collectCount, runTo, due } = aRig();
  runTo(1000 * MiB);
  expect(collectCount()).toBe(0);
  pass();
  expect(collectCount()).toBe(1);

  occupied.bytes = 12 * MiB;
  garbage.collected();
  expect(due).toEqual([]);
  runTo(20 * MiB);
  pass();
  expect(collectCount()).toBe(1);
});

test('tasks that follow closely are not held up', () => {
  const { pass, collectCount, runTo, due } = aRig();
  runTo(500 * MiB);
  runTo(600 * MiB);
  expect(due).toHaveLength(1);
  pass();
  expect(collectCount()).toBe(0);
  pass();
  expect(collectCount()).toBe(1);
});

test('what tasks keep is not collected again and again', () => {
  const { garbage, pass, collectCount, runTo } = aRig();
  runTo(500 * MiB);
  pass();
  garbage.collected();
  for (let times = 0; times < 3; times++) {
    runTo(501 * MiB);
    pass();
  }
  expect(collectCount()).toBe(1);
});

test('what V8 collected by itself counts from there', () => {
  const { garbage, pass, collectCount, runTo } = aRig();
  runTo(500 * MiB);
  garbage.collected();
  runTo(20 * MiB);
  pass();
  pass();
  expect(collectCount()).toBe(0);
  runTo(60 * MiB);
  pass();
  pass();
  expect(collectCount()).toBe(1);
});
