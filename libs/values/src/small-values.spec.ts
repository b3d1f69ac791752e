import { FORM } from './container.js';
import { decodeValue } from './decode-value.js';
import { encodeValue } from './encode-value.js';
import { firstDifference } from './testing/same-graph.js';

const formOf = (value: unknown): number => encodeValue(value).data[1]!;
const roundTrip = (value: unknown): unknown => decodeValue(encodeValue(value));

it.each<unknown>([0, -0, NaN, Infinity, 42, 1e300, true, false, null, undefined, '', 'text', 'é', '€', 12n])(
  'keeps %p',
  (value) => {
    expect(roundTrip(value)).toBe(value);
  },
);

it.each<[string, unknown]>([
  ['a plain object', { a: 1, b: 'x', c: [1, 2, { d: null }] }],
  ['arguments', [1, 'two', true]],
  ['an empty array', []],
])('writes %s as a small tree', (_, value) => {
  expect(formOf(value)).toBe(FORM.json);
  expect(roundTrip(value)).toEqual(value);
});

const twice = { a: 1 };
it.each<[string, unknown]>([
  ['undefined', { a: undefined }],
  ['-0', [-0]],
  ['NaN', [NaN]],
  ['a hole', new Array<unknown>(3).fill(1, 2)],
  ['a named property', Object.assign([1], { name: 'x' })],
  ['a date', [new Date(0)]],
  ['a bigint', { a: 1n }],
  ['one object twice', [twice, twice]],
  ['a class instance', new (class Thing { a = 1 })()], // prettier-ignore
  ['many values', Array.from({ length: 100 }, (_, index) => index)],
  ['long text', { text: 'x'.repeat(1000) }],
  ['the key of a placeholder', { $dependency: 0 }],
])('does not write a tree with %s as JSON', (_, value) => {
  expect(formOf(value)).not.toBe(FORM.json);
  expect(firstDifference(value, roundTrip(value))).toBeUndefined();
});

it('writes futures in a small tree as placeholders', () => {
  const future = new (class Future {
    readonly id = 1;
  })();
  const dependencyIndexOf = (value: object): number | undefined => (value === future ? 0 : undefined);
  const payload = encodeValue([future, 5, { deep: [future] }], { dependencyIndexOf });
  expect(payload.data[1]).toBe(FORM.jsonWithDependencies);
  const result = { big: new Float64Array(2) };
  const decoded = decodeValue(payload, { dependencies: [result] }) as [unknown, number, { deep: [unknown] }];
  expect(decoded[0]).toBe(result);
  expect(decoded[2].deep[0]).toBe(result);
});

it('keeps a future that is the whole value', () => {
  const future = {};
  const payload = encodeValue(future, { dependencyIndexOf: (value) => (value === future ? 1 : undefined) });
  expect(decodeValue(payload, { dependencies: [0, undefined] })).toBeUndefined();
});
