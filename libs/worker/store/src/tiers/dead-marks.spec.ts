import type { RecordPlaces } from '../disk/spill-disk.js';
import { DeadMarks } from './dead-marks.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A disk that answers when it is told to. */
class Disk {
  /** What it was asked to note, as `segment: offsets`. */
  readonly asked: Record<number, number[]>[] = [];
  readonly goneSegments = new Set<number>();
  readonly #answers: ((isNoted: boolean) => void)[] = [];
  readonly marks = new DeadMarks(this, { has: (segment) => !this.goneSegments.has(segment) });

  markDead(records: readonly RecordPlaces[]): Promise<boolean> {
    this.asked.push(Object.fromEntries(records.map(({ segment, offsets }) => [segment, [...offsets]])));
    return new Promise((resolve) => this.#answers.push(resolve));
  }

  answer(isNoted: boolean): Promise<void> {
    this.#answers.shift()?.(isNoted);
    return turn();
  }
}

test('what dies in one turn is noted in one go, by segment, and what dies meanwhile in the next', async () => {
  const disk = new Disk();
  disk.marks.add({ segment: 1, offset: 0 });
  disk.marks.add({ segment: 2, offset: 70 });
  disk.marks.add({ segment: 1, offset: 50 });
  expect(disk.asked).toEqual([]);
  await turn();
  disk.marks.add({ segment: 3, offset: 9 });
  disk.marks.add({ segment: 3, offset: 10 });
  await turn();
  expect(disk.asked).toEqual([{ 1: [0, 50], 2: [70] }]);

  await disk.answer(true);
  expect(disk.asked.slice(1)).toEqual([{ 3: [9, 10] }]);
  const settled = disk.marks.settled();
  await disk.answer(true);
  await settled;
});

test('nothing is noted of segments that are gone', async () => {
  const disk = new Disk();
  disk.marks.add({ segment: 1, offset: 0 });
  disk.goneSegments.add(1);
  await turn();
  expect(disk.asked).toEqual([]);
});

test('what could not be noted is tried again with the next, unless its segment is gone', async () => {
  const disk = new Disk();
  disk.marks.add({ segment: 1, offset: 0 });
  disk.marks.add({ segment: 2, offset: 0 });
  await turn();
  await disk.answer(false);
  await disk.marks.settled();
  expect(disk.asked).toHaveLength(1);

  disk.goneSegments.add(2);
  disk.marks.add({ segment: 3, offset: 5 });
  await turn();
  expect(disk.asked[1]).toEqual({ 1: [0], 3: [5] });
});
