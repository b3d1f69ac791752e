import { scan } from './scan.js';

it('finds nothing special in plain data, however it is linked', () => {
  const shared = { a: 1 };
  const value: Record<string, unknown> = {
    rows: [shared, shared],
    when: new Date(0),
    map: new Map([[shared, [1]]]),
  };
  value['self'] = value;
  expect(scan(value, undefined)).toMatchObject({ hasSpecials: false, isDeep: false, refused: undefined });
});

it.each<[string, object]>([
  ['an error', [new Error('x')]],
  ['a shared buffer', { a: { b: new SharedArrayBuffer(1) } }],
  [
    'an error among many elements',
    Array.from({ length: 1000 }, (_, at) => (at === 999 ? new Error('x') : at)),
  ],
  ['an error as a map key', new Map([[new Error('x'), 1]])],
  ['an error in a named property of an array', Object.assign([1], { e: new Error('x') })],
  ['an error far out in a sparse array', Object.assign([], { 3000000000: new Error('x') })],
])('finds %s', (_, value) => {
  expect(scan(value, undefined).hasSpecials).toBe(true);
});

it('collects array buffers and asks about every object', () => {
  const buffer = new ArrayBuffer(1);
  const asked: object[] = [];
  const small = { x: 1 };
  const value = [buffer, small, [small], new Date(0)];
  const { buffers } = scan(value, (each) => void asked.push(each));
  expect([...buffers]).toEqual([buffer]);
  for (const each of [value, ...value]) expect(asked).toContain(each);
});

it('tells what is deep from what is only long', () => {
  let deep: object = {};
  for (let level = 0; level < 1000; level++) deep = { deep };
  expect(scan(deep, undefined).isDeep).toBe(true);
  expect(
    scan(
      Array.from({ length: 1000 }, () => [[{}]]),
      undefined,
    ).isDeep,
  ).toBe(false);
});

it('looks at a large object that is met often only once', () => {
  let readCount = 0;
  const large = Object.defineProperty(
    Array.from({ length: 1000 }, () => 1),
    500,
    {
      get: () => ++readCount,
      enumerable: true,
    },
  );
  scan(
    Array.from({ length: 1000 }, () => large),
    undefined,
  );
  expect(readCount).toBe(1);
});
