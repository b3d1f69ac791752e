/** Prices beside the true size in V8's heap, of values as they are built and as they are decoded. */
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { decodeValue } from '../decode-value.js';
import { encodeValue } from '../encode-value.js';
import { sizeof } from './sizeof.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** So much is measured at a time that what else happens in the process is far below the margin. */
const MEASURED_BYTES_MIN = 6_000_000;
const SETTLED_WITHIN_BYTES = 100_000;
const ROUNDS_MAX = 10;
/** In a process that ran other test files a collection takes most of a second, and a test takes six. */
jest.setTimeout(60_000);

/**
 * Texts are all different, as V8 keeps some equal ones once, and flat, as those that were read: what `+` puts together is
 * a tree of its parts until something looks into it, and may take twice as much.
 */
let textCount = 0;
const text = (length: number): string => {
  const bytes = Buffer.alloc(length, 'some text ');
  bytes.write(`${(textCount += 1)} `);
  return bytes.toString('latin1');
};
const listOf = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

const SHAPES: Record<string, (count: number, length: number) => unknown> = {
  records: (count, length) =>
    listOf(count, (id) => ({
      id,
      name: text(length),
      amount: id + 0.5,
      isPaid: id % 2 === 0,
      at: new Date(id),
    })),
  texts: (count, length) => listOf(count, () => text(length)),
  'a map of objects': (count, length) =>
    new Map(listOf(count, (id) => [text(length), { id, share: id / 3 }] as const)),
  'nested objects': (count, length) => ({
    people: listOf(count, (id) => ({
      id,
      address: { street: text(length), place: { x: id + 0.1, y: id + 0.2 } },
    })),
  }),
  doubles: (count) => listOf(count * 4, (index) => index + 0.5),
  'rows of doubles': (count) => listOf(count / 8, () => listOf(40, (index) => index + 0.5)),
  integers: (count) => listOf(count * 4, (index) => index),
  'a set of texts': (count, length) => new Set(listOf(count, () => text(length))),
  dates: (count) => listOf(count, (index) => new Date(index)),
};

/**
 * What lives on the heap, once everything else of this process that can go has gone. What another test file of the
 * process held goes some turns of the loop later than one would think, and may be larger than what is measured here.
 */
async function settledHeapBytes(): Promise<number> {
  let bytes = Infinity;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    collect();
    await setImmediate();
    const { heapUsed } = process.memoryUsage();
    if (Math.abs(heapUsed - bytes) < SETTLED_WITHIN_BYTES) break;
    bytes = heapUsed;
  }
  return bytes;
}

/** Bytes of one of so many values: what goes when they go, as that is a matter of this moment alone. */
async function heapBytesOf(make: () => unknown, count: number): Promise<number> {
  const values = Array.from({ length: count }, make);
  const held = await settledHeapBytes();
  values.length = 0;
  return (held - (await settledHeapBytes())) / count;
}

describe.each(Object.keys(SHAPES))('the price of %s is within a factor of two of the heap', (name) => {
  test.each(['built', 'decoded'])('%s', async (how) => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1000, max: 10_000 }),
        fc.integer({ min: 12, max: 80 }),
        async (count, length) => {
          const build = (): unknown => SHAPES[name]!(count, length);
          const make = how === 'built' ? build : (): unknown => decodeValue(encodeValue(build()));
          const price = sizeof(make());
          const bytes = await heapBytesOf(make, Math.ceil(MEASURED_BYTES_MIN / price));
          expect(price).toBeGreaterThan(bytes / 2);
          expect(price).toBeLessThan(bytes * 2);
        },
      ),
      { numRuns: 1 },
    );
  });
});

test('nothing that can be a value makes it throw, or say something that is no number of bytes', () => {
  fc.assert(
    fc.property(
      fc.anything({
        withBigInt: true,
        withBoxedValues: true,
        withDate: true,
        withMap: true,
        withSet: true,
        withNullPrototype: true,
        withObjectString: true,
        withSparseArray: true,
        withTypedArray: true,
      }),
      (value) => {
        const bytes = sizeof(value);
        expect(Number.isSafeInteger(bytes) && bytes >= 0).toBe(true);
        expect(sizeof(value)).toBe(bytes);
      },
    ),
  );
});
