import { asked, Rehearsal } from './testing/index.js';

const rooms = (worker: Rehearsal): (number | false)[] =>
  asked(worker.said, 'set-room').map(({ roomBytes }) => roomBytes);

test('far below pause tasks start without asking', () => {
  const worker = new Rehearsal();
  worker.sample(399);
  expect(rooms(worker)).toEqual([]);
});

test('room is what live memory has to go to pause, in steps of the limit', () => {
  const worker = new Rehearsal({ spillFraction: false });
  worker.sample(600);
  worker.sample(601);
  worker.sample(680);
  expect(rooms(worker)).toEqual([195, 120]);
});

test('a hoard does not take up the room to pause, but the room to where the nanny ends the process', () => {
  const worker = new Rehearsal({ spillFraction: false });
  worker.sample(300);
  worker.sample(700, { hoard: { v8UnusedBytes: 200 } });
  expect(rooms(worker)).toEqual([240]);
});

test('what was stored since the last sample takes up room at once', () => {
  const worker = new Rehearsal({ targetFraction: false });
  worker.sample(500);
  worker.store('a', 100);
  expect(rooms(worker)).toEqual([300, 195]);
});

test('there is none above pause, and it comes back', () => {
  const worker = new Rehearsal({ spillFraction: false });
  worker.sample(801);
  worker.sample(300);
  expect(rooms(worker)).toEqual([0, false]);
});

test('without pause and terminate there is always room: process memory is ignored', () => {
  const worker = new Rehearsal({ spillFraction: false, pauseFraction: false, terminateFraction: false });
  worker.sample(999);
  expect(rooms(worker)).toEqual([]);
});
