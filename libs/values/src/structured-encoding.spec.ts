import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import { SMALL_VALUE_BYTES } from '@spillway/messages';
import { decodeValue } from './decode-value.js';
import { encodeValue } from './encode-value.js';
import { firstDifference } from './testing/same-graph.js';
import { FORM } from './container.js';

const roundTrip = <T>(value: T): T => decodeValue(encodeValue(value)) as T;
const bytesOf = (value: unknown): number => encodeValue(value).data.byteLength;

describe('memory', () => {
  it('puts large values into shared memory of exactly their size when asked to, small ones never', () => {
    const large = encodeValue(new Uint8Array(SMALL_VALUE_BYTES), { shared: true }).data;
    expect(types.isSharedArrayBuffer(large.buffer)).toBe(true);
    expect(large.byteLength).toBe(large.buffer.byteLength);
    for (const small of [new Uint8Array(SMALL_VALUE_BYTES / 2), { rows: [new Date(0)] }, 'text', 42]) {
      const { data } = encodeValue(small, { shared: true });
      expect(types.isSharedArrayBuffer(data.buffer)).toBe(false);
      expect(data.byteLength).toBe(data.buffer.byteLength);
    }
  });

  it('uses ordinary memory of exactly the size when shared memory is not asked for', () => {
    const { data } = encodeValue(Buffer.alloc(SMALL_VALUE_BYTES * 2));
    expect(types.isSharedArrayBuffer(data.buffer)).toBe(false);
    expect(data.byteLength).toBe(data.buffer.byteLength);
  });

  it('decodes typed arrays and buffers as views into the payload, and array buffers as copies', () => {
    const { encoding, data } = encodeValue(
      { f: new Float64Array(1000).fill(1), b: new ArrayBuffer(8) },
      { shared: true },
    );
    const { f, b } = decodeValue({ encoding, data }) as { f: Float64Array; b: ArrayBuffer };
    expect(f.buffer).toBe(data.buffer);
    expect(f[999]).toBe(1);
    expect(b).not.toBe(data.buffer);
    expect(types.isArrayBuffer(b)).toBe(true);
  });
});

describe('views', () => {
  it('encodes the part of a big buffer that views cover, not the whole', () => {
    const big = new Uint8Array(1_000_000).fill(7);
    expect(bytesOf({ head: big.subarray(0, 100), tail: big.subarray(-100) })).toBeLessThan(600);
    expect(roundTrip(big.subarray(10, 13))).toEqual(new Uint8Array([7, 7, 7]));
  });

  it('encodes what several views cover once', () => {
    const big = new Uint8Array(100_000);
    const size = bytesOf([
      big,
      big.subarray(1000),
      new Float64Array(big.buffer),
      Buffer.from(big.buffer, 5, 50),
    ]);
    expect(size).toBeLessThan(100_500);
  });

  it('lets views that overlapped overlap again', () => {
    const buffer = new ArrayBuffer(64);
    const { a, b, c } = roundTrip({
      a: new Uint8Array(buffer, 8, 16),
      b: new Float64Array(buffer, 16, 2),
      c: Buffer.from(buffer, 60, 4),
    });
    expect(a.buffer).toBe(b.buffer);
    expect(b.byteOffset - a.byteOffset).toBe(8);
    a.fill(1, 8);
    expect(new Uint8Array(b.buffer, b.byteOffset, 8)).toEqual(new Uint8Array(8).fill(1));
    expect(c.buffer).toBe(a.buffer);
  });

  it('lets a buffer that is part of the value back its views again', () => {
    const buffer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer;
    const { view, whole } = roundTrip({ view: new Uint16Array(buffer, 2, 1), whole: buffer });
    expect(view.buffer).toBe(whole);
    expect([view.byteOffset, whole.byteLength]).toEqual([2, 8]);
  });

  it('gives back shared buffers as shared buffers, with their views on them', () => {
    const buffer = new SharedArrayBuffer(8);
    const [view, whole] = roundTrip([new Int32Array(buffer, 4), buffer]);
    expect(types.isSharedArrayBuffer(whole)).toBe(true);
    expect(view.buffer).toBe(whole);
  });

  it.each([0, 1, 3, 8, 13])('reads a payload that starts at byte %i of its buffer', (startBytes) => {
    const value = { odd: new Uint8Array([9]), wide: new Float64Array([1.5, -0]), text: 'x' };
    const { encoding, data } = encodeValue(value);
    const moved = new Uint8Array(data.byteLength + startBytes).subarray(startBytes);
    moved.set(data);
    const decoded = decodeValue({ encoding, data: moved });
    expect(firstDifference(value, decoded)).toBeUndefined();
  });

  it('keeps the type of every kind of view, of unaligned and empty ones too', () => {
    const buffer = new Uint8Array(64).map((_, index) => index).buffer;
    const value = [
      ...[Int8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array].map(
        (T) => new T(buffer, 4, 3),
      ),
      ...[new Float32Array(buffer, 4, 3), new Float64Array(buffer, 8), new BigInt64Array(buffer, 8, 1)],
      ...[
        new BigUint64Array(buffer, 16),
        new DataView(buffer, 3, 7),
        Buffer.from(buffer, 5, 5),
        new Uint8Array(0),
      ],
      new DataView(new ArrayBuffer(0)),
    ];
    expect(firstDifference(value, roundTrip(value))).toBeUndefined();
  });

  it('takes a subclass of a typed array for the typed array', () => {
    class Column extends Float32Array {}
    const decoded = roundTrip(new Column([1, 2]));
    expect(decoded).toBeInstanceOf(Float32Array);
    expect(decoded).not.toBeInstanceOf(Column);
    expect([...decoded]).toEqual([1, 2]);
  });
});

describe('objects', () => {
  it('keeps cycles through every container', () => {
    const map = new Map<unknown, unknown>();
    const set = new Set<unknown>([map]);
    const array: unknown[] = [set];
    map.set(array, { map, array });
    expect(firstDifference(map, roundTrip(map))).toBeUndefined();
  });

  it('keeps holes, -0, NaN and undefined', () => {
    const sparse: unknown[] = [1];
    sparse.length = 2;
    sparse.push(undefined, -0, NaN);
    const decoded = roundTrip(sparse);
    expect(firstDifference(sparse, decoded)).toBeUndefined();
    expect(1 in decoded).toBe(false);
    expect(2 in decoded).toBe(true);
  });

  it('does not walk the holes of a huge sparse array', () => {
    const sparse: unknown[] = [];
    sparse[4_000_000_000] = { far: new Error('away') };
    const decoded = roundTrip(sparse);
    expect(decoded).toHaveLength(4_000_000_001);
    expect((decoded[4_000_000_000] as { far: Error }).far.message).toBe('away');
  });

  it('keeps named properties of arrays, with what is in them', () => {
    const match = Object.assign(['a'], { cause: Object.assign(new Error('x'), { code: 'X' }) });
    expect(firstDifference(match, roundTrip(match))).toBeUndefined();
  });

  it('gives instances of unregistered classes as plain objects, without inherited fields', () => {
    class Point {
      readonly hidden = undefined;
      constructor(readonly x: number) {}
      get double(): number {
        return this.x * 2;
      }
    }
    expect(Object.entries(roundTrip(new Point(2))).sort()).toEqual([
      ['hidden', undefined],
      ['x', 2],
    ]);
  });

  it.each(['small', 'large'])('keeps __proto__ as a property of its own in a %s object', (size) => {
    const value = JSON.parse(`{"__proto__": {"admin": true}, "a": 1}`) as Record<string, unknown>;
    if (size === 'large') value['error'] = new Error('makes it flat');
    const decoded = roundTrip(value);
    expect(Object.hasOwn(decoded, '__proto__')).toBe(true);
    expect('admin' in decoded).toBe(false);
  });
});

describe('depth', () => {
  const nest = (depth: number, wrap: (inner: unknown) => unknown): unknown => {
    let value: unknown = 'bottom';
    for (let level = 0; level < depth; level++) value = wrap(value);
    return value;
  };

  it.each<[string, (inner: unknown) => unknown]>([
    ['objects', (inner) => ({ inner })],
    ['arrays', (inner) => [inner]],
    ['map values', (inner) => new Map([['inner', inner]])],
    ['map keys', (inner) => new Map([[inner, 1]])],
    ['sets', (inner) => new Set([inner])],
    ['errors', (inner) => new Error('outer', { cause: inner })],
    ['errors in arrays', (inner) => [new Error('outer', { cause: inner })]],
  ])('keeps 10,000 levels of %s', (_, wrap) => {
    const value = nest(10_000, wrap);
    expect(firstDifference(value, roundTrip(value))).toBeUndefined();
  });

  it('keeps a long list whose nodes know each other and are also in an index', () => {
    interface Node {
      previous: Node | undefined;
      next?: Node;
    }
    const nodes: Node[] = [];
    for (let index = 0; index < 20_000; index++) {
      const node: Node = { previous: nodes[index - 1] };
      if (node.previous !== undefined) node.previous.next = node;
      nodes.push(node);
    }
    for (const value of [
      { nodes, head: nodes[0] },
      { head: nodes[0], nodes },
    ]) {
      expect(firstDifference(value, roundTrip(value))).toBeUndefined();
    }
  });

  it('still encodes and decodes what is nested 10,000 deep when the stack is half used up', () => {
    const value = nest(10_000, (inner) => ({ inner }));
    const depthMax = ((): number => {
      const descend = (depth: number): number => {
        try {
          return descend(depth + 1);
        } catch {
          return depth;
        }
      };
      return descend(0);
    })();
    const descend = (left: number): unknown => (left === 0 ? roundTrip(value) : descend(left - 1));
    expect(firstDifference(value, descend(Math.floor(depthMax / 2)))).toBeUndefined();
  });
});

describe('strings', () => {
  it.each([
    ['Latin-1', 'é'],
    ['wide', '€'],
  ])(
    'keeps %s text of 100 MB, alone and in an object',
    (_, letter) => {
      const text = letter.repeat(letter === '€' ? 5e7 : 1e8);
      expect(roundTrip(text) === text).toBe(true);
      expect(roundTrip({ text, at: new Date(0) }).text === text).toBe(true);
    },
    60_000,
  );

  it('keeps lone surrogates, alone and in a tree', () => {
    expect(roundTrip('a\ud800')).toBe('a\ud800');
    expect(roundTrip(['a\udfff', '\u2028'])).toEqual(['a\udfff', '\u2028']);
  });
});

it('writes most values as structured clone does, without replacing anything', () => {
  expect(encodeValue({ when: new Date(0) }).data[1]).toBe(FORM.bare);
  expect(encodeValue({ when: new Uint8Array(1) }).data[1]).toBe(FORM.container);
  expect(encodeValue({ when: new Error('x') }).data[1]).toBe(FORM.flatBare);
});
