import { setImmediate } from 'node:timers/promises';
import type { Clock, Timers } from '@spillway/ports';
import { IsolateGarbage } from './isolate-garbage.js';
import { systemClock } from './system-clock.js';
import { systemTimers } from './system-timers.js';

/** Time that passes when told to, and the calls that wait for it. */
function aHand(): Clock & Timers & { passMs(ms: number): void } {
  let nowMs = 0;
  let waiting: { atMs: number; call: () => void }[] = [];
  const after = (delayMs: number, call: () => void): { cancel: () => void } => {
    waiting.push({ atMs: nowMs + delayMs, call });
    return { cancel: () => undefined };
  };
  return {
    nowMs: () => nowMs,
    after,
    every: after,
    soon: (call) => after(0, call),
    passMs: (ms) => {
      nowMs += ms;
      const due = waiting.filter(({ atMs }) => atMs <= nowMs);
      waiting = waiting.filter(({ atMs }) => atMs > nowMs);
      for (const { call } of due) call();
    },
  };
}

test('asking several times in a turn collects once, after the turn', () => {
  const hand = aHand();
  let count = 0;
  const garbage = new IsolateGarbage({ clock: hand, timers: hand, collect: () => (count += 1) });

  const first = garbage.ask();
  expect(garbage.ask()).toBe(first);
  expect(count).toBe(0);
  hand.passMs(0);
  expect(count).toBe(1);

  void garbage.ask();
  hand.passMs(0);
  expect(count).toBe(2);
});

test('collecting takes at most a quarter of the time, and what was asked for meanwhile is not forgotten', () => {
  const hand = aHand();
  let count = 0;
  const collect = (): void => {
    count += 1;
    hand.passMs(20);
  };
  const garbage = new IsolateGarbage({ clock: hand, timers: hand, collect });
  void garbage.ask();
  hand.passMs(0);
  expect(count).toBe(1);

  void garbage.ask();
  hand.passMs(59);
  expect(count).toBe(1);
  hand.passMs(1);
  expect(count).toBe(2);
});

test('whoever asks hears when the collection has run that came after their asking', async () => {
  const hand = aHand();
  let count = 0;
  const garbage = new IsolateGarbage({ clock: hand, timers: hand, collect: () => hand.passMs(20) });
  const heard = (asked: Promise<void>): Promise<number> => asked.then(() => (count += 1));

  const first = heard(garbage.ask());
  hand.passMs(0);
  expect(await first).toBe(1);

  const second = heard(garbage.ask());
  hand.passMs(59);
  await setImmediate();
  expect(count).toBe(1);
  hand.passMs(1);
  expect(await second).toBe(2);
});

test('a shared buffer that nobody holds is gone afterwards', async () => {
  const garbage = new IsolateGarbage({ clock: systemClock, timers: systemTimers });
  const dropped = new WeakRef(new Uint8Array(new SharedArrayBuffer(1000)));
  await setImmediate();

  await garbage.ask();

  expect(dropped.deref()).toBeUndefined();
});
