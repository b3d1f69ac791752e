import { connect } from 'node:net';
import { ValueNotEncodableError } from '@spillway/kernel';
import { encodeValue } from './encode-value.js';

function failureOf(value: unknown, options?: Parameters<typeof encodeValue>[1]): ValueNotEncodableError {
  try {
    encodeValue(value, options);
  } catch (error) {
    if (error instanceof ValueNotEncodableError) return error;
    throw error;
  }
  throw new Error('It was encoded');
}

it('says which field is at fault, as a path and as details', () => {
  const error = failureOf({ rows: [1, 2, 3, { onClick: () => 1 }] });
  expect(error.message).toContain('value.rows[3].onClick is a function, which cannot be encoded');
  expect(error.details).toMatchObject({ path: 'value.rows[3].onClick', type: 'function' });
});

it.each<[string, unknown]>([
  ['value is a function', () => 1],
  ['value is a symbol', Symbol('x')],
  ['value["a b"] is a symbol', { 'a b': Symbol('x') }],
  ['value.p is a Promise', { p: Promise.resolve() }],
  ['value.w is a WeakMap', { w: new WeakMap() }],
  ['value.w is a WeakSet', { w: new WeakSet() }],
  ['value.w is a WeakRef', { w: new WeakRef({}) }],
  ['value.g is a', { g: (function* () { yield 1; })() }], // prettier-ignore
  ['value.i is a', { i: [1][Symbol.iterator]() }],
  ['value.f is a NumberFormat', { f: new Intl.NumberFormat() }],
  ['value.u is a URL', { u: new URL('https://example.org') }],
  ['value.h is a Headers', { h: new Headers() }],
  ['value.s is an AbortController', { s: new AbortController() }],
  ['value.s is an AbortSignal', { s: AbortSignal.abort() }],
  ['value.e is an EventTarget', { e: new EventTarget() }],
  ['value.b is a Blob', { b: new Blob([]) }],
  ['value.p is a Proxy', { p: new Proxy({ a: 1 }, {}) }],
  // eslint-disable-next-line prefer-rest-params -- the arguments object itself is what is tried
  ['value[0] is an Arguments', [(function () { return arguments; })()]], // prettier-ignore
  ['value.p is a Proxy', { p: new Proxy([{}], {}), e: new Error('flat') }],
  ['value.m.get("k")[0] is a function', { m: new Map([['k', [() => 1]]]) }],
  ['value.m.keys()[1] is a function', { m: new Map<unknown, number>([['k', 1], [() => 1, 2]]) }], // prettier-ignore
  ['value.values()[1] is a symbol', new Set([1, Symbol('x')])],
  ['value.cause.run is a function', new Error('x', { cause: { run: () => 1 } })],
  ['value.errors[0].run is a function', new AggregateError([{ run: () => 1 }])],
  ['value.x.y is a function', { x: Object.assign(new Error('flat'), { y: () => 1 }) }],
])('%s', (message, value) => {
  expect(failureOf(value).message).toContain(message);
});

it('names a socket', async () => {
  const socket = connect({ host: '127.0.0.1', port: 1, lookup: () => undefined });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  try {
    expect(failureOf({ connection: { socket } }).message).toMatch(/^value\.connection\.socket/);
  } finally {
    socket.destroy();
    await closed;
  }
});

it('names a getter that throws, and a proxy that does', () => {
  const value = {
    rows: [
      {
        get total(): number {
          throw new Error('no rows');
        },
      },
    ],
  };
  expect(failureOf(value).message).toBe('value.rows[0].total cannot be read: no rows');
  const trap = (): never => {
    throw new Error('trapped');
  };
  const proxy = new Proxy({}, { ownKeys: trap, getPrototypeOf: trap });
  expect(failureOf({ a: { proxy } }).message).toMatch(/^value\.a\.proxy /);
});

it.each(['buffer', 'view'] as const)('names a %s whose memory was transferred away', (field) => {
  const buffer = new ArrayBuffer(8);
  const both = { buffer, view: new Uint8Array(buffer) };
  structuredClone(buffer, { transfer: [buffer] });
  expect(failureOf([{ [field]: both[field] }]).message).toContain(`value[0].${field} cannot be read`);
});

it('looks 10,000 levels down, and shows the two ends of the path', () => {
  let value: unknown = () => 1;
  for (let level = 0; level < 10_000; level++) value = { inner: value };
  const { path } = failureOf(value).details;
  expect(path).toMatch(/^value\.inner.*….*\.inner$/);
  expect(path!.length).toBeLessThan(400);
});

it('reports the first field at fault', () => {
  expect(failureOf({ a: [{ b: Symbol('x') }], c: () => 1 }).details['path']).toBe('value.a[0].b');
});

it('says that JSON cannot nest so deep', () => {
  let value: unknown = 1;
  for (let level = 0; level < 100_000; level++) value = [value];
  expect(failureOf(value, { encoding: 'json' }).message).toContain('value is nested too deep');
});

it('passes over futures', () => {
  const future = { run: () => 1 };
  const error = failureOf([future, () => 2], {
    dependencyIndexOf: (each) => (each === future ? 0 : undefined),
  });
  expect(error.details['path']).toBe('value[1]');
});
