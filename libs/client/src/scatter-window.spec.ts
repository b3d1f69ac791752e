import { inWindow } from './scatter-window.js';

interface Job {
  readonly value: number;
  readonly end: (failure?: Error) => void;
}

/** Values are their own number of bytes. */
function aWindow(values: Iterable<number>, countMax = 4, bytesMax = 100) {
  const taken: number[] = [];
  const underWay: Job[] = [];
  function* taking(): Generator<number> {
    for (const value of values) {
      taken.push(value);
      yield value;
    }
  }
  const outcome = inWindow(taking(), {
    countMax,
    bytesMax,
    bytesOf: (bytes) => bytes,
    work: (value) =>
      new Promise<string>((resolve, reject) => {
        const job: Job = {
          value,
          end: (failure) => {
            underWay.splice(underWay.indexOf(job), 1);
            if (failure === undefined) resolve(`done ${value}`);
            else reject(failure);
          },
        };
        underWay.push(job);
      }),
  });
  const running = (): number[] => underWay.map(({ value }) => value);
  return { outcome, taken, underWay, running };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('values are worked on together as far as their bytes allow, and results are in order', async () => {
  const { outcome, running, underWay } = aWindow([40, 50, 30, 20]);
  await turn();
  expect(running()).toEqual([40, 50]);
  underWay[1]?.end();
  await turn();
  expect(running()).toEqual([40, 30, 20]);
  for (const job of underWay.toReversed()) job.end();
  await expect(outcome).resolves.toEqual(['done 40', 'done 50', 'done 30', 'done 20']);
});

test('no more than so many are under way, however small', async () => {
  const { outcome, running, underWay } = aWindow([1, 2, 3, 4, 5], 3);
  await turn();
  expect(running()).toEqual([1, 2, 3]);
  while (underWay.length > 0) {
    underWay[0]?.end();
    await turn();
  }
  await expect(outcome).resolves.toHaveLength(5);
});

test('a value larger than the window goes alone', async () => {
  const { outcome, running, underWay } = aWindow([10, 1000, 10]);
  await turn();
  expect(running()).toEqual([10]);
  underWay[0]?.end();
  await turn();
  expect(running()).toEqual([1000]);
  underWay[0]?.end();
  await turn();
  expect(running()).toEqual([10]);
  underWay[0]?.end();
  await outcome;
});

test('a value is taken from its source only when the one before it is under way', async () => {
  const { outcome, taken, underWay } = aWindow([60, 60, 60]);
  await turn();
  // The second is in hand and waits for room.
  expect(taken).toEqual([60, 60]);
  while (underWay.length > 0) {
    underWay[0]?.end();
    await turn();
  }
  await outcome;
});

test('the first failure is the outcome, and nothing more is taken', async () => {
  const { outcome, taken, underWay } = aWindow([60, 60, 60]);
  await turn();
  underWay[0]?.end(new Error('no room'));
  await expect(outcome).rejects.toThrow('no room');
  expect(taken).toEqual([60, 60]);
});

test('a failure behind one that is still under way is the outcome at once, and no failure goes unheard', async () => {
  const { outcome, underWay } = aWindow([30, 30, 30]);
  await turn();
  underWay[2]?.end(new Error('third'));
  await expect(outcome).rejects.toThrow('third');
  underWay[0]?.end(new Error('first'));
  await turn();
});

test('a source that throws is the outcome, and a late failure of what was under way is not unheard', async () => {
  function* broken(): Generator<number> {
    yield 1;
    throw new Error('source');
  }
  const { outcome, underWay } = aWindow(broken());
  await expect(outcome).rejects.toThrow('source');
  underWay[0]?.end(new Error('late'));
  await turn();
});

test('nothing to do is done', async () => {
  await expect(aWindow([]).outcome).resolves.toEqual([]);
});
