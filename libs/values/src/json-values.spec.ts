import { ValueNotDecodableError, ValueNotEncodableError } from '@spillway/kernel';
import { decodeValue } from './decode-value.js';
import { encodeValue } from './encode-value.js';

const json = { encoding: 'json' } as const;
const text = (value: unknown, options = {}): string =>
  new TextDecoder().decode(encodeValue(value, { ...json, ...options }).data);
const decode = (source: string, dependencies?: readonly unknown[]): unknown =>
  decodeValue(
    { ...json, data: new TextEncoder().encode(source) },
    dependencies === undefined ? {} : { dependencies },
  );

it('writes UTF-8 JSON by the rules of JSON', () => {
  expect(text({ a: [1, 'é€', null, undefined], b: undefined, c: NaN, d: new Date(0) })).toBe(
    '{"a":[1,"é€",null,null],"c":null,"d":"1970-01-01T00:00:00.000Z"}',
  );
  expect(text(undefined)).toBe('null');
});

it('puts large texts into shared memory when asked to, and reads them there', () => {
  const payload = encodeValue('é'.repeat(20_000), { ...json, shared: true });
  expect(payload.data.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(decodeValue(payload)).toBe('é'.repeat(20_000));
});

it.each<[string, unknown]>([
  ['value.f is a function', { f: () => 1 }],
  ['value[0] is a symbol', [Symbol('x')]],
  ['value[0] is a bigint', [1n]],
  ['value.m is a Map', { m: new Map() }],
  ['value.s is a Set', { s: new Set() }],
  ['value.b is a Uint8Array', { b: new Uint8Array(1) }],
])('refuses what JSON would lose: %s', (message, value) => {
  expect(() => text(value)).toThrow(ValueNotEncodableError);
  expect(() => text(value)).toThrow(message);
});

it('refuses a cycle', () => {
  const value: { self?: unknown } = {};
  value.self = value;
  expect(() => text(value)).toThrow(ValueNotEncodableError);
});

it('writes futures as placeholders, and puts results in their places', () => {
  const future = { toJSON: () => 'never asked' };
  const written = text([future, { a: future }], {
    dependencyIndexOf: (v: object) => (v === future ? 7 : undefined),
  });
  expect(written).toBe('[{"$dependency":7},{"a":{"$dependency":7}}]');
  const result = new Map();
  expect(decode('[{"$dependency":1},{"a":[{"$dependency":0}]}]', [result, undefined])).toEqual([
    undefined,
    { a: [result] },
  ]);
  expect(decode('{"$dependency":0}', ['root'])).toBe('root');
});

it('does not look into the results it puts in', () => {
  expect(decode('[{"$dependency":0}]', [{ $dependency: 5 }])).toEqual([{ $dependency: 5 }]);
});

it('leaves placeholders alone without dependencies, and objects with other keys always', () => {
  expect(decode('{"$dependency":0}')).toEqual({ $dependency: 0 });
  expect(decode('{"$dependency":0,"a":1}', ['x'])).toEqual({ $dependency: 0, a: 1 });
});

it('refuses data that would be taken for a future', () => {
  expect(() => text({ a: { $dependency: 1 } }, { dependencyIndexOf: () => undefined })).toThrow('value.a');
  expect(text({ a: { $dependency: 1 } })).toBe('{"a":{"$dependency":1}}');
});

it.each([
  '{"$dependency":2}',
  '{"$dependency":-1}',
  '{"$dependency":"0"}',
  '{"$dependency":1.5}',
  '{"a":',
  '',
])('refuses %s', (source) => {
  expect(() => decode(source, [1, 2])).toThrow(ValueNotDecodableError);
});

it('refuses bytes that are not UTF-8', () => {
  expect(() => decodeValue({ ...json, data: new Uint8Array([0x22, 0xff, 0x22]) })).toThrow(
    ValueNotDecodableError,
  );
});

it('keeps __proto__ a property', () => {
  const decoded = decode('{"__proto__":{"$dependency":0}}', [{ admin: true }]) as object;
  expect(Object.hasOwn(decoded, '__proto__')).toBe(true);
  expect('admin' in decoded).toBe(false);
});

it('puts results 100,000 levels down', () => {
  const source = `${'['.repeat(100_000)}{"$dependency":0}${']'.repeat(100_000)}`;
  let decoded = decode(source, ['bottom']);
  while (Array.isArray(decoded)) decoded = decoded[0];
  expect(decoded).toBe('bottom');
});
