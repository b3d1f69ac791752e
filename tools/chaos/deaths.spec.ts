import { Reasons } from './deaths.js';

const death = (nowMs: number, pid = 7) => ({ nanny: 'a', pid, nowMs });

test('a signal is explained if it was ours, for that process', () => {
  const reasons = new Reasons();
  reasons.killed(7, 1000);
  expect(reasons.explains('signal', death(1100))).toBe(true);
  expect(reasons.explains('signal', death(1100, 8))).toBe(false);
});

test('a worker hangs if we stopped it, and no other', () => {
  const reasons = new Reasons();
  reasons.stopped(7, 5000);
  expect(reasons.explains('hung', death(9000))).toBe(true);
  expect(reasons.explains('hung', death(9000, 8))).toBe(false);
});

test('a death of memory is explained while a bomb is lit, and for a moment after it has gone out', () => {
  const reasons = new Reasons();
  expect(reasons.explains('memory-limit', death(0))).toBe(false);
  const bomb = {};
  reasons.bombLit(bomb);
  expect(reasons.explains('memory-limit', death(60_000))).toBe(true);
  reasons.bombOut(bomb, 60_000);
  expect(reasons.explains('heap-exhausted', death(64_000))).toBe(true);
  expect(reasons.explains('memory-limit', death(66_000))).toBe(false);
});

test('a worker may close by itself after its nanny was silenced, and not otherwise', () => {
  const reasons = new Reasons();
  expect(reasons.explains('closed', death(0))).toBe(false);
  reasons.silenced('a', 10_000);
  expect(reasons.explains('closed', death(35_000))).toBe(true);
  expect(reasons.explains('closed', { ...death(35_000), nanny: 'b' })).toBe(false);
  expect(reasons.explains('closed', death(45_000))).toBe(false);
});

test('an exit code, the kernel and a start that failed are never explained', () => {
  const reasons = new Reasons();
  reasons.killed(7, 0);
  reasons.bombLit({});
  reasons.silenced('a', 0);
  for (const cause of ['exit-code', 'kernel-oom', 'start-failed', 'host-lost'])
    expect(reasons.explains(cause, death(1))).toBe(false);
});

test('a task may run once more for each thing that happened since, or shortly before', () => {
  const reasons = new Reasons();
  expect(reasons.rerunsSince(0)).toBe(0);
  reasons.disturbed(1000);
  reasons.disturbed(15_000);
  expect(reasons.rerunsSince(20_000)).toBe(2);
  expect(reasons.rerunsSince(40_000)).toBe(1);
  reasons.bombLit({});
  expect(reasons.rerunsSince(60_000)).toBe(1);
});
