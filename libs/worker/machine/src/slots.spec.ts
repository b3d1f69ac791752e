import { InvariantError } from '@spillway/kernel';
import { Slots, mayTake } from './slots.js';
import { RELEASED, type Run, type WorkerTask } from './task.js';
import { computeTask } from './testing/index.js';

const limits = { handOverMs: 5, handOverCountMax: 3 };

function aRun(expectedMs?: number): Run {
  const message = computeTask('x', expectedMs === undefined ? {} : { expectedMs });
  const task: WorkerTask = {
    key: message.spec.key,
    state: RELEASED,
    neededBy: undefined,
    lingering: undefined,
  };
  return { task, message, order: 0 };
}

function slotsWith(...given: readonly (readonly (number | undefined)[])[]): Slots {
  const slots = new Slots(given.length, limits);
  given.forEach((expected, index) => {
    for (const expectedMs of expected) slots.give(slots.all[index]!, aRun(expectedMs), 0);
  });
  return slots;
}

const indexFor = (slots: Slots, run: Run, nowMs = 0): number | undefined => slots.choose(run, nowMs)?.index;

describe('choosing a slot', () => {
  test('takes a free slot before any other, for runs of any length', () => {
    expect(indexFor(slotsWith([1], []), aRun(1))).toBe(1);
    expect(indexFor(slotsWith([1], []), aRun())).toBe(1);
  });

  test('takes the slot with least expected work, the lowest among equals', () => {
    expect(indexFor(slotsWith([2], [1], [1]), aRun(1))).toBe(1);
  });

  test('puts into one thread as much as is expected to be done in time, and no more', () => {
    expect(indexFor(slotsWith([2]), aRun(3))).toBe(0);
    expect(indexFor(slotsWith([2]), aRun(3.1))).toBeUndefined();
  });

  test('puts nothing behind what may take any time, and nothing that may', () => {
    expect(indexFor(slotsWith([undefined]), aRun(0))).toBeUndefined();
    expect(indexFor(slotsWith([1]), aRun())).toBeUndefined();
  });

  test('puts nothing behind a head that has outlived its expectation', () => {
    expect(indexFor(slotsWith([1]), aRun(1), 5)).toBe(0);
    expect(indexFor(slotsWith([1]), aRun(1), 6)).toBeUndefined();
  });

  test('puts no more tasks into a thread than the limit says', () => {
    expect(indexFor(slotsWith([0, 0, 0]), aRun(0))).toBeUndefined();
  });

  test('puts nothing into a thread that has something to stop, until that has ended', () => {
    const slots = slotsWith([1, 1]);
    const slot = slots.all[0]!;
    const [, second] = slot.attempts;

    slots.markStopping(second!, { reason: 'cancelled' });
    expect(mayTake(slot, aRun(1), limits, 0)).toBe(false);

    slots.remove(second!, 0);
    expect(mayTake(slot, aRun(1), limits, 0)).toBe(true);
  });
});

describe('what a slot has', () => {
  test('the time of an attempt starts to count when it becomes the head', () => {
    const slots = slotsWith([1, 1]);
    const slot = slots.all[0]!;
    expect(slot.attempts.map(({ headSinceMs }) => headSinceMs)).toEqual([0, undefined]);

    slots.remove(slot.head!, 40);

    expect(slot.head?.headSinceMs).toBe(40);
  });

  test('taking one out of the middle leaves the head its time', () => {
    const slots = slotsWith([1, 1, 1]);
    const slot = slots.all[0]!;

    slots.remove(slot.attempts[1]!, 40);

    expect(slot.attempts.map(({ headSinceMs }) => headSinceMs)).toEqual([0, undefined]);
    expect(slot.expectedMs).toBe(2);
  });

  test('an empty slot has no work left over from rounding', () => {
    const slots = slotsWith([0.1, 0.2]);
    const slot = slots.all[0]!;

    slots.remove(slot.head!, 0);
    slots.remove(slot.head!, 0);

    expect(slot.expectedMs).toBe(0);
  });

  test('an attempt that is not there cannot be taken out, and none is stopped twice', () => {
    const slots = slotsWith([1]);
    const attempt = slots.all[0]!.head!;
    slots.markStopping(attempt, { reason: 'timeout' });

    expect(() => slots.markStopping(attempt, { reason: 'cancelled' })).toThrow(InvariantError);
    slots.remove(attempt, 0);
    expect(() => slots.remove(attempt, 0)).toThrow(InvariantError);
  });
});
