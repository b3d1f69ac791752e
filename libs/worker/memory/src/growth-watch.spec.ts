import { GrowthWatch, type BusyWith, type GrowthWatchOptions } from './growth-watch.js';

const OPTIONS: GrowthWatchOptions = {
  limitBytes: 1000,
  runawayFraction: 0.9,
  guiltyFraction: 0.25,
  terminateFraction: false,
  growthBytesPerMs: 1,
};
const aWatch = (options: Partial<GrowthWatchOptions> = {}): GrowthWatch =>
  new GrowthWatch({ ...OPTIONS, ...options });

const SAMPLE_MS = 200;
/** Runs that began long before the first sample, unless said otherwise. */
const run = (runId: number, sinceMs = -1e6): BusyWith => ({ runId, sinceMs });

/** What the watch says to samples at equal distances, each with what the slots run. */
function verdicts(watch: GrowthWatch, samples: readonly (readonly [number, ...BusyWith[]])[]): unknown[] {
  return samples.map(([bytes, ...busyWith], index) => watch.sample(bytes, busyWith, index * SAMPLE_MS));
}

const RECLAIM = { type: 'reclaim' };
const end = (slot: number): object => ({ type: 'end-task', slot });

test('above the line garbage is reclaimed first; a task that is still too large at the next sample is ended', () => {
  const said = verdicts(aWatch(), [
    [300, run(7)],
    [700, run(7)],
    [950, run(7)],
    [960, run(7)],
  ]);
  expect(said).toEqual([undefined, undefined, RECLAIM, end(0)]);
});

test('when reclaiming was enough, nobody is ended', () => {
  const watch = aWatch();
  const said = verdicts(watch, [
    [300, run(7)],
    [950, run(7)],
    [400, run(7)],
    [950, run(7)],
  ]);
  expect(said).toEqual([undefined, RECLAIM, undefined, RECLAIM]);
});

test('growth before a task started is not charged to it, also when it started between two samples', () => {
  const said = verdicts(aWatch(), [
    [100, run(1), undefined],
    [850, run(1), undefined],
    [850, undefined, run(2, 300)],
    [910, undefined, run(2, 300)],
    [1300, undefined, run(3, 700)],
    [1310, undefined, run(3, 700)],
  ]);
  expect(said).toEqual([undefined, undefined, undefined, undefined, undefined, undefined]);
});

test('a task that grew to the line between two samples is charged for the time it ran', () => {
  const said = verdicts(aWatch(), [
    [100, undefined],
    [1000, run(1, 20)],
    [1000, run(1, 20)],
  ]);
  expect(said).toEqual([undefined, RECLAIM, end(0)]);
});

test('of two busy slots the one that was busy longer through the growth is named', () => {
  const said = verdicts(aWatch(), [
    [100, run(1), undefined],
    [700, run(1), run(2, 150)],
    [800, run(1), run(2, 150)],
    [950, run(1), run(2, 150)],
    [950, run(1), run(2, 150)],
  ]);
  expect(said.slice(3)).toEqual([RECLAIM, end(0)]);
});

test('stored data above the line without a growing task names nobody', () => {
  expect(
    verdicts(aWatch(), [
      [950, run(3)],
      [955, run(3)],
      [955, run(3)],
    ]),
  ).toEqual([undefined, undefined, undefined]);
});

test('exactly at the line is not above it', () => {
  expect(
    verdicts(aWatch(), [
      [100, run(1)],
      [900, run(1)],
      [901, run(1)],
    ]),
  ).toEqual([undefined, undefined, RECLAIM]);
});

test('a named slot is not named again for the same growth, and off means off', () => {
  const watch = aWatch();
  const said = verdicts(watch, [
    [100, run(1)],
    [950, run(1)],
    [950, run(1)],
    [950, run(1)],
    [950, run(1)],
  ]);
  expect(said).toEqual([undefined, RECLAIM, end(0), undefined, undefined]);
  const off = aWatch({ runawayFraction: false });
  expect(
    verdicts(off, [
      [100, run(1)],
      [2000, run(1)],
      [2000, run(1)],
    ]),
  ).toEqual([undefined, undefined, undefined]);
});

test('the limit of the moment counts: what was a run-away is none in a larger container', () => {
  const watch = aWatch();
  watch.limitChanged(2000);
  expect(
    verdicts(watch, [
      [100, run(1)],
      [950, run(1)],
      [1801, run(1)],
      [1801, run(1)],
    ]),
  ).toEqual([undefined, undefined, RECLAIM, end(0)]);
});

describe('looks that are close together', () => {
  test('leave a reclaim its time, unless the nanny would be next', () => {
    const watch = aWatch({ terminateFraction: 0.95 });
    expect(watch.sample(300, [run(1)], 0)).toBeUndefined();
    expect(watch.sample(901, [run(1)], 50)).toEqual(RECLAIM);
    expect(watch.sample(925, [run(1)], 60)).toBeUndefined();
    expect(watch.sample(926, [run(1)], 70)).toEqual(end(0));
  });

  test('end the task when the time is over and it has not become less', () => {
    const watch = aWatch({ terminateFraction: 0.95 });
    watch.sample(300, [run(1)], 0);
    watch.sample(901, [run(1)], 50);
    expect(watch.sample(901, [run(1)], 249)).toBeUndefined();
    expect(watch.sample(901, [run(1)], 250)).toEqual(end(0));
  });

  test.each([
    ['with much headroom at the interval', 100, 200],
    ['before half of the headroom can be gone', 700, 100],
    ['at most every 10 ms', 899, 10],
    ['above the line as well', 950, 10],
  ])('come %s', (_when, processBytes, inMs) => {
    const watch = aWatch();
    watch.sample(processBytes, [run(1)], 0);
    expect(watch.nextLookMs(200)).toBe(inMs);
  });

  test('come sooner for a process that was seen to grow faster, and at the interval while no task runs', () => {
    const watch = aWatch();
    watch.sample(100, [run(1)], 0);
    watch.sample(500, [run(1)], 200);
    expect(watch.nextLookMs(200)).toBe(100);
    watch.sample(500, [undefined], 400);
    expect(watch.nextLookMs(200)).toBe(200);
  });
});
