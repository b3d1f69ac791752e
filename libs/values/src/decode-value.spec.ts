import { ValueNotDecodableError } from '@spillway/kernel';
import type { Encoding } from '@spillway/messages';
import { types } from 'node:util';
import { serialize } from 'node:v8';
import { FORM, MAGIC, prefixBytesOf, writePrefix } from './container.js';
import { decodeValue } from './decode-value.js';
import { encodeValue } from './encode-value.js';
import { STEP } from './flat-graph.js';

const future = new (class Future {
  readonly id = 1;
})();
const dependencyIndexOf = (value: object): number | undefined => (value === future ? 0 : undefined);
const decode = (data: Uint8Array, dependencies?: readonly unknown[]): unknown =>
  decodeValue({ encoding: 'v8', data }, dependencies === undefined ? {} : { dependencies });

it.each<[string, unknown]>([
  ['an object', { deep: { future, when: new Date(0) } }],
  ['an array', [[future], new Date(0)]],
  ['a map value', new Map([['k', future]])],
  ['a map key', new Map([[future, 'v']])],
  ['a set', new Set([1, future])],
  ['an error', Object.assign(new Error('x'), { future })],
])('puts a primitive result where a future was in %s', (_, value) => {
  const decoded = decode(encodeValue(value, { dependencyIndexOf }).data, ['RESULT']);
  const parts = JSON.stringify(decoded, (__, part: unknown) =>
    types.isMap(part) || types.isSet(part) ? [...part] : part,
  );
  expect(parts).toContain('"RESULT"');
});

it('keeps the order of maps and sets when it puts results in', () => {
  const value = [new Map<unknown, number>([['a', 1], [future, 2], ['b', 3]]), new Set(['a', future, 'b'])]; // prettier-ignore
  const [map, set] = decode(encodeValue(value, { dependencyIndexOf }).data, [7]) as [
    Map<unknown, number>,
    Set<unknown>,
  ];
  expect([...map.keys()]).toEqual(['a', 7, 'b']);
  expect([...set]).toEqual(['a', 7, 'b']);
});

it.each<[string, unknown]>([
  ['a small tree', [future]],
  ['a structured value', [future, new Date(0)]],
])('names the dependency that is missing for %s', (_, value) => {
  const { data } = encodeValue(value, { dependencyIndexOf });
  for (const dependencies of [undefined, []]) {
    expect(() => decode(data, dependencies)).toThrow(ValueNotDecodableError);
    expect(() => decode(data, dependencies)).toThrow('dependency 0, but 0 were given');
  }
});

it('refuses an encoding it does not know', () => {
  const payload = { encoding: 'cbor' as Encoding, data: new Uint8Array(1) };
  expect(() => decodeValue(payload)).toThrow("the encoding 'cbor' is unknown");
});

it('refuses a form of a later version, and what is no value at all', () => {
  expect(() => decode(Uint8Array.from([MAGIC, 200]))).toThrow(ValueNotDecodableError);
  expect(() => decode(serialize({ a: 1 }))).toThrow('does not start as a value');
  expect(() => decode(new Uint8Array(0))).toThrow(ValueNotDecodableError);
});

describe('a container', () => {
  const clone = serialize('x');
  const craft = (
    buffers: readonly { offsetBytes: number; sizeBytes: number }[],
    views: readonly { type: number; bufferNumber?: number; offsetBytes: number; sizeBytes: number }[],
    sizeBytes = 4096,
  ): Uint8Array => {
    const target = new Uint8Array(sizeBytes);
    writePrefix(target, FORM.container, {
      buffers: buffers.map((each) => ({ isShared: false, ...each })),
      views: views.map((each) => ({ bufferNumber: undefined, ...each })),
      cloneBytes: clone.byteLength,
    });
    target.set(clone, prefixBytesOf(buffers.length, views.length));
    return target;
  };

  it('is read when all is within bounds', () => {
    const view = { type: 10, offsetBytes: 1024, sizeBytes: 16 };
    expect(decode(craft([{ offsetBytes: 512, sizeBytes: 100 }], [view]))).toBe('x');
  });

  it.each<[string, Parameters<typeof craft>]>([
    ['a buffer is out of bounds', [[{ offsetBytes: 4000, sizeBytes: 97 }], []]],
    ['a buffer is out of bounds', [[{ offsetBytes: -1, sizeBytes: 1 }], []]],
    ['a buffer is out of bounds', [[{ offsetBytes: NaN, sizeBytes: 1 }], []]],
    ['a buffer is out of bounds', [[{ offsetBytes: 512, sizeBytes: 2 ** 60 }], []]],
    ['buffers overlap', [[{ offsetBytes: 512, sizeBytes: 8 }, { offsetBytes: 519, sizeBytes: 8 }], []]], // prettier-ignore
    ['a view is out of bounds', [[], [{ type: 2, offsetBytes: 4096, sizeBytes: 1 }]]],
    ['a view is not a whole number', [[], [{ type: 10, offsetBytes: 512, sizeBytes: 9 }]]],
    ['does not know the type', [[], [{ type: 99, offsetBytes: 512, sizeBytes: 8 }]]],
    ['a view belongs to no buffer', [[], [{ type: 2, bufferNumber: 3, offsetBytes: 0, sizeBytes: 1 }]]],
    ['a view is out of bounds', [[{ offsetBytes: 512, sizeBytes: 8 }], [{ type: 2, bufferNumber: 0, offsetBytes: 4, sizeBytes: 8 }]]], // prettier-ignore
    ['a view is not aligned', [[{ offsetBytes: 512, sizeBytes: 32 }], [{ type: 10, bufferNumber: 0, offsetBytes: 4, sizeBytes: 8 }]]], // prettier-ignore
    ['a view is not aligned', [[], [{ type: 10, offsetBytes: 513, sizeBytes: 8 }]]],
  ])('is refused when %s', (reason, [buffers, views]) => {
    expect(() => decode(craft(buffers, views))).toThrow(ValueNotDecodableError);
    expect(() => decode(craft(buffers, views))).toThrow(reason);
  });

  it('is refused when its tables claim to be longer than the bytes, before anything is allocated', () => {
    const data = craft([], []);
    new DataView(data.buffer).setUint32(8, 0xffffffff, true);
    expect(() => decode(data)).toThrow('tables are longer than the bytes');
  });
});

describe('a flat graph', () => {
  const craft = (flat: unknown): Uint8Array => Uint8Array.from([MAGIC, FORM.flatBare, ...serialize(flat)]);

  it.each<[string, unknown]>([
    ['it is no list', 1],
    ['it has no steps', [1, []]],
    ['its steps claim to be four billion', [1, [], Object.assign([], { 4000000000: [] })]],
    ['a step is unknown', [1, [], [[9]]]],
    ['it patches a primitive', [1, [], [[STEP.patch, 1]]]],
    ['it fills an object that is no error', [1, [], [[STEP.fill, {}, [], []]]]],
    ['a slot has no number', [1, ['x', {}], []]],
    ['a codec has no name', [1, [], [[STEP.decode, 0, { toString: 'x' }, 1]]]],
  ])('is refused when %s', (_, flat) => {
    expect(() => decode(craft(flat))).toThrow(ValueNotDecodableError);
  });
});
