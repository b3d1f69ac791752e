import { Buffer } from 'node:buffer';
import { runInNewContext } from 'node:vm';
import { SizeWalk } from './size-walk.js';
import { sizeof, sizeofWithout } from './sizeof.js';
import { SAMPLE_COUNT_MAX } from './spread.js';

const listOf = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** Within so many per cent. */
const expectAbout = (actual: number, expected: number, percent: number): void => {
  expect(actual).toBeGreaterThan(expected * (1 - percent / 100));
  expect(actual).toBeLessThan(expected * (1 + percent / 100));
};

describe('binary data', () => {
  test.each<[string, unknown]>([
    ['a Uint8Array', new Uint8Array(24_000)],
    ['a Float64Array', new Float64Array(3000)],
    ['a BigInt64Array', new BigInt64Array(3000)],
    ['a Buffer', Buffer.alloc(24_000)],
    ['an ArrayBuffer', new ArrayBuffer(24_000)],
    ['a SharedArrayBuffer', new SharedArrayBuffer(24_000)],
    ['a view of a SharedArrayBuffer', new Int32Array(new SharedArrayBuffer(24_000))],
    ['a DataView', new DataView(new ArrayBuffer(24_000))],
    ['a buffer of another realm', runInNewContext('new ArrayBuffer(24_000)')],
  ])('%s takes exactly its bytes', (_name, value) => {
    expect(sizeof(value)).toBe(24_000);
  });

  test.each([new ArrayBuffer(1_000_000), new SharedArrayBuffer(1_000_000)])(
    'a buffer counts once, however many views of it there are',
    (buffer) => {
      const views = { all: new Uint8Array(buffer), half: new Float64Array(buffer, 0, 1000), buffer };
      expectAbout(sizeof(views), 1_000_000, 1);
      expectAbout(sizeof(listOf(10_000, () => new Uint8Array(buffer, 8, 8))), 1_000_000 + 10_000 * 192, 1);
    },
  );

  test('a small view counts the buffer that it keeps in memory', () => {
    expect(sizeof(new Uint8Array(new ArrayBuffer(1_000_000), 10, 10))).toBe(1_000_000);
  });

  test('a piece of the pool of Node counts its own bytes', () => {
    expect(sizeof(Buffer.from('x'.repeat(100)))).toBe(100);
  });

  test('memory that is accounted for elsewhere is left out', () => {
    const buffer = new SharedArrayBuffer(1_000_000);
    expect(sizeofWithout({ a: new Uint8Array(buffer), b: 'text' }, buffer)).toBeLessThan(1000);
  });

  test('buffers inside of objects count with little on top', () => {
    expectAbout(sizeof(listOf(1000, () => new Float64Array(1000))), 8_000_000, 3);
  });
});

describe('values that are no objects', () => {
  test.each([
    ['undefined', undefined, 8],
    ['null', null, 8],
    ['a boolean', true, 8],
    ['a small integer', 5, 8],
    ['a fraction', 1.5, 16],
    ['a large integer', 2 ** 40, 16],
    ['a negative zero', -0, 16],
    ['a bigint', 5n, 24],
    ['a bigint of 640 bits', 1n << 639n, 96],
    ['a negative bigint of 64 bits', -(2n ** 63n), 24],
    ['a symbol', Symbol('s'), 24],
    ['a Latin text', 'x'.repeat(1000), 1016],
    ['a text with wider characters', 'ж'.repeat(1000), 2016],
    ['a text with one wider character', `${'x'.repeat(99)}ж`, 216],
  ])('%s', (_name, value, bytes) => {
    expect(sizeof(value)).toBe(bytes);
  });
});

describe('graphs', () => {
  test('what is met twice counts once', () => {
    const part = listOf(1000, (index) => `text ${index}`);
    expectAbout(sizeof([part, part, { part }]), sizeof(part), 2);
  });

  test('a cycle ends', () => {
    const cycle: Record<string, unknown> = { name: 'x'.repeat(1000) };
    cycle['self'] = cycle;
    cycle['list'] = [cycle, new Map([[cycle, cycle]])];
    expectAbout(sizeof(cycle), 1016, 50);
  });

  test('what a hundred thousand records have in common counts once', () => {
    const common = listOf(50, (index) => `${index}`.padEnd(1000, 'x'));
    const records = listOf(100_000, (id) => ({ id, common }));
    expectAbout(sizeof(records), 100_000 * (8 + 48) + 50 * 1024, 2);
  });

  test('records that lead back to their list, and to each other, are priced as if they did not', () => {
    const list: { id: string; owner: unknown; next: unknown }[] = [];
    for (let id = 0; id < 2000; id += 1) {
      list.push({ id: `${id}`.padEnd(100, 'x'), owner: list, next: list[id - 1] });
    }
    expectAbout(sizeof(list), 2000 * (8 + 56 + 120), 15);
  });

  test('an array with the same few objects over and over counts them once', () => {
    const kinds = listOf(20, (index) => ({ text: `${index}`.padEnd(10_000, 'x') }));
    expectAbout(sizeof(listOf(100_000, (index) => kinds[index % 20])), 800_000 + 20 * 10_060, 2);
  });

  test('nesting of any depth is walked without recursion', () => {
    let deep: unknown = 'end';
    for (let depth = 0; depth < 30_000; depth += 1) deep = [deep];
    expectAbout(sizeof(deep), 30_000 * 56, 1);
  });

  test('a tree is sampled when it is large', () => {
    const tree = (depth: number): unknown =>
      depth === 0 ? 1 : { left: tree(depth - 1), right: tree(depth - 1) };
    expectAbout(sizeof(tree(17)), 2 ** 17 * 48, 5);
  });

  test('names that many wide records share count once, those of a dictionary each', () => {
    const wide = (index: number): object =>
      Object.fromEntries(listOf(30, (column) => [`column ${column}`, index]));
    const dictionary = (index: number): object =>
      Object.fromEntries(listOf(30, (column) => [`${index} ${column} key`, index]));
    expectAbout(sizeof(listOf(10_000, wide)), 10_000 * (40 + 240), 5);
    expect(sizeof(listOf(10_000, dictionary))).toBeGreaterThan(10_000 * 30 * 60);
  });
});

describe('the work is bounded', () => {
  const lookedAt = (value: object): number => {
    const walk = new SizeWalk();
    walk.bytesOf(value);
    return walk.lookedAtCount;
  };

  test.each<[string, object]>([
    ['ten million numbers and objects', new Array<unknown>(10_000_000).fill(1).fill({}, 5_000_000)],
    ['a map of objects', new Map(listOf(100_000, (index) => [index, {}]))],
    ['a set of objects', new Set(listOf(100_000, () => ({})))],
    ['a dictionary of objects', Object.fromEntries(listOf(100_000, (index) => [`k${index}`, {}]))],
  ])('%s: only a sample is looked at', (_name, value) => {
    expect(lookedAt(value)).toBeLessThanOrEqual(SAMPLE_COUNT_MAX + 1);
  });

  test('lists in lists in lists: so many objects at most', () => {
    const nested = listOf(200, () => listOf(200, () => listOf(200, () => ({}))));
    expect(lookedAt(nested)).toBeLessThan(30_000);
    expectAbout(sizeof(nested), 200 * 200 * 200 * 40, 5);
  });

  test('an array of holes is not walked', () => {
    const sparse: unknown[] = [];
    sparse[4_000_000_000] = 'x';
    expect(sizeof(sparse)).toBeLessThan(1000);
  });

  test('the same value has the same size each time', () => {
    const value = listOf(10_000, (index) => 'x'.repeat(index % 97));
    expect(sizeof(value)).toBe(sizeof(value));
  });
});

describe('kinds of objects', () => {
  class Point {
    constructor(
      readonly x: number,
      readonly label: string,
    ) {}
  }

  test.each<[string, unknown, number, number]>([
    ['a date', new Date(), 112, 112],
    ['a regular expression', /abc/u, 200, 300],
    ['a boxed number', Object(1.5), 40, 60],
    ['an error with its cause', new Error('x', { cause: 'y'.repeat(2000) }), 2500, 2800],
    ['an aggregate of errors', new AggregateError([new Error('a'), new Error('b')]), 1700, 2500],
    ['an instance of a class', new Point(1, 'x'.repeat(1000)), 1040, 1080],
    ['a map', new Map([['a'.repeat(1000), 'b'.repeat(1000)]]), 2200, 2300],
    ['a set', new Set(['a'.repeat(1000)]), 1150, 1250],
    ['an object without prototype', Object.assign(Object.create(null), { a: 'x'.repeat(1000) }), 1040, 1080],
    ['a map of another realm', runInNewContext("new Map([['k', 'v'.repeat(1000)]])"), 1150, 1250],
    ['a function', () => 1, 64, 64],
    ['a promise', Promise.resolve(1), 256, 256],
  ])('%s', (_name, value, least, most) => {
    const bytes = sizeof(value);
    expect(bytes).toBeGreaterThanOrEqual(least);
    expect(bytes).toBeLessThanOrEqual(most);
  });

  test('columns as Arrow has them: chunks are views of one buffer, which counts once', () => {
    class Data {
      constructor(
        readonly values: Int32Array,
        readonly nullBitmap: Uint8Array,
        readonly children: readonly Data[] = [],
      ) {}
      get byteLength(): number {
        return this.values.byteLength + this.nullBitmap.byteLength;
      }
    }
    class Vector {
      constructor(readonly data: readonly Data[]) {}
    }
    const message = new ArrayBuffer(4_200_000);
    const chunk = (index: number): Data =>
      new Data(
        new Int32Array(message, index * 4000, 1000),
        new Uint8Array(message, 4_000_000 + index * 125, 125),
      );
    expectAbout(sizeof(new Vector(listOf(1000, chunk))), 4_200_000 + 1000 * 500, 5);
    const ownBuffers = listOf(1000, () => new Data(new Int32Array(1000), new Uint8Array(125)));
    expectAbout(sizeof(new Vector(ownBuffers)), 1000 * (4125 + 500), 5);
  });

  test('accessors and proxies, which are code of the user, are not called', () => {
    const called: string[] = [];
    const value = {
      get computed(): number {
        called.push('getter');
        return 1;
      },
      proxy: new Proxy(
        { inside: 1 },
        { ownKeys: () => (called.push('ownKeys'), []), get: () => called.push('get') },
      ),
    };
    expect(sizeof(value)).toBeGreaterThan(0);
    expect(called).toEqual([]);
  });

  test('an object that throws when it is looked at has a size all the same', () => {
    const refuse = (): never => {
      throw new Error('no');
    };
    const hostile: unknown = Object.create(
      Object.create(Object.prototype, { [Symbol.toStringTag]: { get: refuse } }) as object,
    );
    expect(sizeof([hostile])).toBeGreaterThan(0);
    expect(sizeof(new Proxy({}, { getPrototypeOf: refuse }))).toBeGreaterThan(0);
  });
});
