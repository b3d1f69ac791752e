/**
 * Whatever happens in whatever order: the machine never contradicts itself or the world, and once workers are there and
 * finish what they get, every wanted key is in memory, erred or forgotten. `SPILLWAY_PROPERTY_RUNS` sets how many sequences.
 */
import fc from 'fast-check';
import { RandomCluster, type Step } from './testing/index.js';

const RUNS = Number(process.env['SPILLWAY_PROPERTY_RUNS'] ?? 10_000);
const number = fc.nat({ max: 999 });
const steps: fc.Arbitrary<Step[]> = fc.array(fc.tuple(number, number, number, number), {
  minLength: 5,
  maxLength: 40,
  size: 'max',
});
const options = fc.record({
  commitStepsMax: fc.constantFrom(1, 3, 5_000),
  allowedFailures: fc.constantFrom(0, 1, 3),
  noWorkersTimeoutMs: fc.constantFrom(false as const, 20_000),
  memoryStuckTimeoutMs: fc.constantFrom(false as const, 10_000, 30_000, 30_000),
});

test('no order of events makes the machine contradict itself, and once healed everything wanted ends', () => {
  fc.assert(
    fc.property(steps, options, (sequence, chosen) => {
      const cluster = new RandomCluster(chosen);
      for (const step of sequence) cluster.step(step);
      expect(cluster.heal()).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});

test('workers may pause and resume as they like: no task waits for nothing, and one at a time is run to free memory', () => {
  fc.assert(
    fc.property(steps, options, (sequence, chosen) => {
      const cluster = new RandomCluster(chosen, 'memory');
      for (const step of sequence) cluster.step(step);
      expect(cluster.heal()).toEqual([]);
    }),
    { numRuns: RUNS / 2 },
  );
});

test('whatever limits workers have, and however they change: no task is sent where its inputs do not fit', () => {
  fc.assert(
    fc.property(steps, options, (sequence, chosen) => {
      const cluster = new RandomCluster(chosen, 'limits');
      for (const step of sequence) cluster.step(step);
      expect(cluster.heal()).toEqual([]);
    }),
    { numRuns: RUNS / 2 },
  );
});

test('the same events give the same instructions', () => {
  const instructionsOf = (sequence: readonly Step[]): unknown[] => {
    const cluster = new RandomCluster({ commitStepsMax: 3 });
    const heard: unknown[] = [];
    const hear = cluster.outside.hear.bind(cluster.outside);
    cluster.outside.hear = (instructions) => {
      heard.push(...instructions);
      hear(instructions);
    };
    for (const step of sequence) cluster.step(step);
    cluster.heal();
    return heard;
  };
  fc.assert(
    fc.property(steps, (sequence) => {
      expect(instructionsOf(sequence)).toEqual(instructionsOf(sequence));
    }),
    { numRuns: 200 },
  );
});
