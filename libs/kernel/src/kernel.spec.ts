import { assert, assertNever, must } from './assert.js';
import { ERROR_CLASSES, errorFromCode, InvariantError, isErrorCode, TaskFailedError } from './errors.js';
import { asStimulusId, asTaskKey } from './ids.js';
import { SeededRandom } from './seeded-random.js';
import { formatStory, Story } from './story.js';

describe('errors', () => {
  test('every class has the code it is listed under, and is rebuilt from it', () => {
    for (const code of Object.keys(ERROR_CLASSES)) {
      const error = errorFromCode(code, 'what happened', { details: { key: 'x' }, cause: 1 });
      expect(error).toMatchObject({ code, message: 'what happened', details: { key: 'x' }, cause: 1 });
      expect(error.name).toBe(error.constructor.name);
      expect(isErrorCode(code)).toBe(true);
    }
  });

  test('a code of a newer peer becomes a failed task, not a crash', () => {
    expect(errorFromCode('FROM_THE_FUTURE', 'm')).toBeInstanceOf(TaskFailedError);
    expect(errorFromCode('constructor', 'm')).toBeInstanceOf(TaskFailedError);
  });
});

test('assertions throw InvariantError', () => {
  const broken = (): void => {
    assert(false, 'broken');
  };
  expect(broken).toThrow(InvariantError);
  expect((): unknown => assertNever('x' as never, 'thing')).toThrow('Unhandled thing');
  expect(() => must(undefined, 'task')).toThrow('Missing task');
  expect(must(0, 'count')).toBe(0);
});

describe('seeded random', () => {
  test('the same seed gives the same numbers, another seed others', () => {
    const draw = (seed: number) =>
      Array.from(
        { length: 5 },
        (
          (random) => () =>
            random.next()
        )(new SeededRandom(seed)),
      );
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  test('whole numbers stay below their limit and reach all values', () => {
    const random = new SeededRandom(1);
    const seen = new Set(Array.from({ length: 200 }, () => random.below(4)));
    expect([...seen].toSorted()).toEqual([0, 1, 2, 3]);
    const nothing: readonly string[] = [];
    expect(random.pick(nothing)).toBeUndefined();
  });

  test('drawing from a fork does not move its parent', () => {
    const [a, b] = [new SeededRandom(3), new SeededRandom(3)];
    void a.fork().next();
    b.fork();
    expect(a.next()).toBe(b.next());
  });
});

test('a story keeps the last moves only, oldest first, and tells them per task', () => {
  const story = new Story(3);
  const move = (key: string, to: string, atMs: number): void => {
    story.add({ key: asTaskKey(key), from: 'a', to, stimulusId: asStimulusId('s'), atMs });
  };
  move('x', 'b', 1);
  move('y', 'b', 2);
  move('x', 'c', 3);
  move('x', 'd', 4);
  expect(story.all().map(({ atMs }) => atMs)).toEqual([2, 3, 4]);
  expect(formatStory(story.of(asTaskKey('x')))).toBe('3 x: a > c (s)\n4 x: a > d (s)');
});
