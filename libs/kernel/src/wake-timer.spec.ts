import { WakeTimer } from './wake-timer.js';

/** A hand-driven world: nothing happens until it is told to. */
function aWorld() {
  const world = {
    nowMs: 0,
    woken: 0,
    pending: [] as { atMs: number; call: () => void; isCancelled: boolean }[],
  };
  const schedule = (atMs: number, call: () => void) => {
    const entry = { atMs, call, isCancelled: false };
    world.pending.push(entry);
    return { cancel: () => void (entry.isCancelled = true) };
  };
  const timer = new WakeTimer(
    { nowMs: () => world.nowMs },
    {
      after: (delayMs, call) => schedule(world.nowMs + delayMs, call),
      soon: (call) => void schedule(world.nowMs, call),
    },
    () => (world.woken += 1),
  );
  const runTo = (nowMs: number): void => {
    world.nowMs = nowMs;
    for (const entry of world.pending.splice(0).filter(({ isCancelled }) => !isCancelled))
      if (entry.atMs <= nowMs) entry.call();
      else world.pending.push(entry);
  };
  return { world, timer, runTo };
}

test('it wakes once when the moment has come', () => {
  const { world, timer, runTo } = aWorld();
  timer.arm(100);
  timer.arm(100);
  runTo(99);
  expect(world.woken).toBe(0);
  runTo(100);
  expect(world.woken).toBe(1);
  runTo(200);
  expect(world.woken).toBe(1);
});

test('a moment that changes replaces the one before', () => {
  const { world, timer, runTo } = aWorld();
  timer.arm(100);
  timer.arm(300);
  runTo(200);
  expect(world.woken).toBe(0);
  timer.arm(undefined);
  runTo(400);
  expect(world.woken).toBe(0);
});

test('a moment in the past wakes in the next turn, not in this one', () => {
  const { world, timer, runTo } = aWorld();
  world.nowMs = 50;
  timer.arm(10);
  expect(world.woken).toBe(0);
  runTo(50);
  expect(world.woken).toBe(1);
  timer.arm(10);
  runTo(50);
  expect(world.woken).toBe(2);
});
