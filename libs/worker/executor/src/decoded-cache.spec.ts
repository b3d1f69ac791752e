/** Decoded copies that threads keep, so that a chain of tasks on one thread does not decode again. */
import { asTaskKey } from '@spillway/kernel';
import type { FunctionRef, Payload } from '@spillway/messages';
import { encodeValue, registerCodec, sizeof } from '@spillway/values';
import { closeRigs, inputsAsArguments, Rig, type RunOptions } from './testing/executor-rig.js';

afterEach(closeRigs);

class Money {
  constructor(readonly cents: number) {}
}
registerCodec({
  name: 'DecodedCacheMoney',
  type: Money,
  encode: ({ cents }) => cents,
  decode: (cents) => new Money(cents as number),
});

/** A module that knows the class too, and counts how often instances are decoded in its thread. */
const MONEY = `
  const { byName, byPrototype } = globalThis[Symbol.for('spillway.codecs.1')];
  globalThis.decodedCount = 0;
  class Money { constructor(cents) { this.cents = cents; } }
  const codec = { name: 'DecodedCacheMoney', type: Money, encode: (m) => m.cents, decode: (cents) => { globalThis.decodedCount += 1; return new Money(cents); } };
  byName.set(codec.name, codec);
  byPrototype.set(Money.prototype, codec);
  globalThis[Symbol.for('spillway.codecs.1')].count += 1;
  exports.make = () => Array.from({ length: 1000 }, (_, cents) => new Money(cents));
  exports.sum = (money) => money.reduce((sum, { cents }) => sum + cents, 0);
  exports.fail = (money) => { throw new Error('failed with ' + money.length); };
  exports.count = () => globalThis.decodedCount;
`;
const COUNT = 1000;

const someMoney = (first = 0): Payload =>
  encodeValue(
    Array.from({ length: COUNT }, (_, index) => new Money(first + index)),
    { shared: true },
  );
const PRICE = sizeof(Array.from({ length: COUNT }, (_, index) => new Money(index)));

const withInput = (key: string, payload: Payload): RunOptions => ({
  inputs: [payload],
  inputKeys: [key],
  args: inputsAsArguments(1),
});

interface MoneyRig {
  readonly rig: Rig;
  readonly named: (exportName: string) => FunctionRef;
  readonly decodedCount: () => Promise<number>;
}

async function aRig(decodedCacheBytesMax: number | false = 100_000_000, validate = false): Promise<MoneyRig> {
  const rig = await Rig.start({ decodedCacheBytesMax, validate });
  const named = (exportName: string): FunctionRef => rig.upload(MONEY, exportName);
  await rig.value(named('count'));
  const decodedCount = async (): Promise<number> => (await rig.value(named('count'))) as number;
  return { rig, named, decodedCount };
}

test('a chain of tasks on one thread decodes a value once', async () => {
  const { rig, named, decodedCount } = await aRig();
  const made = await rig.run(named('make'), { key: 'made' });
  if (made.type !== 'execute-success') throw new Error('expected a result');

  for (let link = 0; link < 3; link += 1) {
    await expect(rig.value(named('sum'), withInput('made', made.result))).resolves.toBe(499_500);
  }

  // Once, as an instance of a class comes back through its codec: the returned one is not taken for it.
  await expect(decodedCount()).resolves.toBe(COUNT);
  expect(rig.executor.cachedBytes).toBe(PRICE);
});

test('without the cache each task decodes its inputs', async () => {
  const { rig, named, decodedCount } = await aRig(false);
  for (let link = 0; link < 3; link += 1) await rig.value(named('sum'), withInput('money', someMoney()));
  await expect(decodedCount()).resolves.toBe(3 * COUNT);
  expect(rig.executor.cachedBytes).toBe(0);
});

test('the next task gets a result of plain data as it was returned', async () => {
  const { rig } = await aRig();
  const made = await rig.run(
    '() => (globalThis.made = Array.from({ length: 1000 }, (_, id) => ({ id, tags: new Set([id]) })))',
    { key: 'plain' },
  );
  if (made.type !== 'execute-success') throw new Error('expected a result');
  await expect(
    rig.value('(input) => input === globalThis.made', withInput('plain', made.result)),
  ).resolves.toBe(true);
});

test.each([
  ['instances of classes', 'new (class Row { id = id; })()'],
  ['binary data', 'new Uint8Array(10)'],
  ['errors', 'new Error(id)'],
])('a result with %s inside is decoded, as it comes back different', async (_what, item) => {
  const { rig } = await aRig();
  const made = await rig.run(
    `() => (globalThis.made = Array.from({ length: 1000 }, (_, id) => ({ deep: ${item} })))`,
    { key: 'made' },
  );
  if (made.type !== 'execute-success') throw new Error('expected a result');
  await expect(
    rig.value('(input) => input === globalThis.made', withInput('made', made.result)),
  ).resolves.toBe(false);
});

test('dropped copies are gone when that resolves, and tasks decode again', async () => {
  const { rig, named, decodedCount } = await aRig();
  await rig.value(named('sum'), withInput('money', someMoney()));
  expect(rig.executor.cachedBytes).toBe(PRICE);

  await rig.executor.dropCachedCopies();

  expect(rig.executor.cachedBytes).toBe(0);
  await rig.value(named('sum'), withInput('money', someMoney()));
  await expect(decodedCount()).resolves.toBe(2 * COUNT);
});

test('forgotten keys are gone before the next task starts, the others stay', async () => {
  const { rig, named, decodedCount } = await aRig();
  await rig.value(named('sum'), withInput('a', someMoney()));
  await rig.value(named('sum'), withInput('b', someMoney(5)));
  expect(rig.executor.cachedBytes).toBe(2 * PRICE);

  rig.executor.forgetCopies([asTaskKey('a'), asTaskKey('unknown')]);
  await rig.value(named('sum'), withInput('b', someMoney(5)));

  expect(rig.executor.cachedBytes).toBe(PRICE);
  await expect(decodedCount()).resolves.toBe(2 * COUNT);
});

test('what is kept never comes to more than the bound, and the least recently used goes first', async () => {
  const { rig, named, decodedCount } = await aRig(2.5 * PRICE);
  const sum = (key: string, first: number): Promise<unknown> =>
    rig.value(named('sum'), withInput(key, someMoney(first)));
  await sum('a', 1);
  await sum('b', 2);
  await sum('a', 1);
  await sum('c', 3);
  expect(rig.executor.cachedBytes).toBe(2 * PRICE);
  await expect(decodedCount()).resolves.toBe(3 * COUNT);
  await sum('a', 1);
  await expect(decodedCount()).resolves.toBe(3 * COUNT);
  await sum('b', 2);
  await expect(decodedCount()).resolves.toBe(4 * COUNT);
});

test('a value larger than the bound is decoded and not kept', async () => {
  const { rig, named } = await aRig(PRICE - 1);
  await expect(rig.value(named('sum'), withInput('money', someMoney()))).resolves.toBe(499_500);
  expect(rig.executor.cachedBytes).toBe(0);
});

test('a task that throws leaves its copies to the next', async () => {
  const { rig, named, decodedCount } = await aRig();
  await expect(rig.run(named('fail'), withInput('money', someMoney()))).resolves.toMatchObject({
    type: 'execute-failure',
  });
  expect(rig.executor.cachedBytes).toBe(PRICE);
  await expect(rig.value(named('sum'), withInput('money', someMoney()))).resolves.toBe(499_500);
  await expect(decodedCount()).resolves.toBe(COUNT);
});

test('a key whose value was computed anew gives the new value', async () => {
  const { rig, named } = await aRig();
  await rig.value(named('sum'), withInput('money', someMoney()));
  await expect(rig.value(named('sum'), withInput('money', someMoney(1)))).resolves.toBe(500_500);
  expect(rig.executor.cachedBytes).toBe(PRICE);
});

test('a thread that ends takes its copies with it', async () => {
  const { rig, named } = await aRig();
  await rig.value(named('sum'), withInput('money', someMoney()));
  await rig.run('() => process.exit(1)');
  expect(rig.executor.cachedBytes).toBe(0);
});

test.each<[string, Payload, RunOptions]>([
  ['binary data, which is a view already', encodeValue(new Float64Array(10_000), { shared: true }), {}],
  ['an object over binary data', encodeValue({ data: new Float64Array(10_000) }, { shared: true }), {}],
  ['small values', encodeValue([1, 2, 3]), {}],
  ['texts', encodeValue('x'.repeat(10_000)), {}],
  ['inputs whose key is not told', someMoney(), { inputKeys: [] }],
])('not kept: %s', async (_what, payload, options) => {
  const { rig } = await aRig();
  await rig.value('(input) => typeof input', { ...withInput('key', payload), ...options });
  expect(rig.executor.cachedBytes).toBe(0);
});

test('where writes into inputs are looked for, nothing is kept', async () => {
  const { rig, named, decodedCount } = await aRig(100_000_000, true);
  for (let link = 0; link < 2; link += 1) await rig.value(named('sum'), withInput('money', someMoney()));
  await expect(decodedCount()).resolves.toBe(2 * COUNT);
});
