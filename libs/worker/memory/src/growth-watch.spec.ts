import { GrowthWatch } from './growth-watch.js';

const aWatch = (): GrowthWatch =>
  new GrowthWatch({ limitBytes: 1000, runawayFraction: 0.9, guiltyFraction: 0.25 });

test('the task that grew most is named once process memory is above the line', () => {
  const watch = aWatch();
  expect(watch.sample(300, [7])).toBeUndefined();
  expect(watch.sample(700, [7])).toBeUndefined();
  expect(watch.sample(950, [7])).toBe(0);
});

test('growth before a task started is not charged to it', () => {
  const watch = aWatch();
  watch.sample(100, [1, undefined]);
  watch.sample(850, [1, undefined]);
  watch.sample(850, [undefined, 2]);
  expect(watch.sample(910, [undefined, 2])).toBeUndefined();
});

test('of two busy slots the one that was busy longer through the growth is named', () => {
  const watch = aWatch();
  watch.sample(100, [1, undefined]);
  watch.sample(700, [1, 2]);
  watch.sample(800, [1, 2]);
  expect(watch.sample(950, [1, 2])).toBe(0);
});

test('stored data above the line without a growing task names nobody', () => {
  const watch = aWatch();
  watch.sample(950, [3]);
  expect(watch.sample(955, [3])).toBeUndefined();
});

test('exactly at the line is not above it', () => {
  const watch = aWatch();
  watch.sample(100, [1]);
  expect(watch.sample(900, [1])).toBeUndefined();
  expect(watch.sample(901, [1])).toBe(0);
});

test('a named slot is not named again for the same growth, and off means off', () => {
  const watch = aWatch();
  watch.sample(100, [1]);
  expect(watch.sample(950, [1])).toBe(0);
  expect(watch.sample(950, [1])).toBeUndefined();
  const off = new GrowthWatch({ limitBytes: 1000, runawayFraction: false, guiltyFraction: 0.25 });
  off.sample(100, [1]);
  expect(off.sample(2000, [1])).toBeUndefined();
});
