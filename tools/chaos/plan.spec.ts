import { clockText, describeAction, planOf, type Action } from './plan.js';

const plan = (seed: number, killsScheduler = false): readonly Action[] =>
  planOf({ seed, minutes: 10, killsScheduler });

test('the same seed gives the same plan, another seed another', () => {
  expect(plan(7)).toEqual(plan(7));
  expect(plan(8)).not.toEqual(plan(7));
});

test('a shorter time is the beginning of a longer one, up to its healing', () => {
  const short = planOf({ seed: 7, minutes: 1, killsScheduler: false });
  expect(short.length).toBeGreaterThan(10);
  expect(plan(7).slice(0, short.length)).toEqual(short);
});

test('ten minutes have every kind of action, and the scheduler only if it is asked for', () => {
  const kinds = (killsScheduler: boolean): string[] =>
    [...new Set(plan(1, killsScheduler).map(({ kind }) => kind))].toSorted();
  const all = ['black-hole', 'bomb', 'cut', 'delay', 'fill-disk', 'kill-nanny'];
  expect(kinds(false)).toEqual([...all, 'kill-worker', 'stop-worker', 'throttle']);
  expect(kinds(true)).toEqual([...all, 'kill-scheduler', 'kill-worker', 'stop-worker', 'throttle']);
});

test('actions come in order, the first after the start and the last before the healing', () => {
  const times = plan(3).map(({ atMs }) => atMs);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times[0]).toBe(3_000);
  expect(times.at(-1)).toBeLessThan(585_000);
});

test('a link that is broken is not broken otherwise until it is mended', () => {
  const untilMs = new Map<string, number>();
  for (const action of plan(11)) {
    if (!('link' in action) || action.kind === 'cut') continue;
    expect(untilMs.get(action.link) ?? 0).toBeLessThanOrEqual(action.atMs);
    untilMs.set(action.link, action.atMs + action.forMs);
  }
  expect(untilMs.size).toBeGreaterThan(3);
});

test('an action is a line for people', () => {
  expect(describeAction({ atMs: 0, kind: 'stop-worker', worker: 'a-0', forMs: 1234 })).toBe(
    'SIGSTOP of worker a-0 for 1.2 s',
  );
  expect(clockText(61_250)).toBe('01:01.2');
});
