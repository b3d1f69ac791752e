import { setImmediate } from 'node:timers/promises';
import { asTaskKey } from '@spillway/kernel';
import { MemorySource, patterned } from './fixtures.spec-d.js';
import { LoadAhead } from './load-ahead.js';
import { sizeBytesOf, type ServedValue } from './served-value.js';

const names = Array.from({ length: 100 }, (_, index) => asTaskKey(`k${index}`));
const sourceOf = (sizeBytes: (index: number) => number): MemorySource =>
  new MemorySource(
    Object.fromEntries(names.map((name, index) => [name, patterned(sizeBytes(index), index)])),
  );

const sizeOf = (value: ServedValue | undefined): number | undefined => value && sizeBytesOf(value);

test('values come in the order of the keys, whichever load ends first', async () => {
  const source = sourceOf((index) => index);
  source.onServe = (key) => (key.endsWith('3') ? setImmediate() : undefined);
  const loads = new LoadAhead(source, names);

  const sizes: (number | undefined)[] = [];
  while (sizes.length < names.length) sizes.push(sizeOf(await loads.next()));

  expect(sizes).toEqual(names.map((_name, index) => index));
});

test('small values are loaded more and more ahead, up to a bound', async () => {
  const source = sourceOf(() => 10);
  const loads = new LoadAhead(source, names);
  const aheadCounts: number[] = [];

  for (let taken = 1; taken <= 10; taken += 1) {
    await loads.next();
    aheadCounts.push(source.asked.length - taken);
  }

  expect(aheadCounts).toEqual([0, 1, 3, 7, 15, 31, 31, 31, 31, 31]);
});

test('large values are loaded one at a time', async () => {
  const source = sourceOf(() => 20_000);
  const loads = new LoadAhead(source, names);

  for (let taken = 1; taken <= 10; taken += 1) {
    await loads.next();
    expect(source.asked).toHaveLength(taken);
  }
});

test('a load that failed ahead is a failure when its turn comes, not before', async () => {
  const source = sourceOf(() => 10);
  source.onServe = (key) => {
    if (key === 'k3') throw new Error('disk on fire');
  };
  const loads = new LoadAhead(source, names);

  await loads.next();
  await loads.next();
  await loads.next();
  expect(source.asked).toContain('k3');
  await setImmediate();

  await expect(loads.next()).rejects.toThrow('disk on fire');
});
