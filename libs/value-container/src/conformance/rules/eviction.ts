/** Manual eviction moves values out of RAM and never loses one. */
import {
  hasManualEviction,
  type Evicted,
  type ManualEviction,
  type ValueContainer,
} from '../../value-container.js';
import {
  BrokenRule,
  expect,
  expectKeys,
  expectNothing,
  expectSame,
  expectValue,
  patternBytes,
  type EvictionRule,
  type Rule,
} from '../rule.js';

type Evicting = ValueContainer & ManualEviction;

const KEYS = Array.from({ length: 12 }, (_, index) => `k${index}`);
const VALUE_BYTES = 20_000;
/** Enough for a container that evicts one value at a time, and some that came back. */
const EVICTS_MAX = 100;

export const MANUAL_EVICTION_IS_WHOLE: Rule = {
  sentence: 'Manual eviction is offered whole, `fast` and `evict`, or not at all.',
  check(container) {
    const isHalf = ('fast' in container || 'evict' in container) && !hasManualEviction(container);
    if (!isHalf) return Promise.resolve();
    return Promise.reject(new BrokenRule('It has one of `fast` and `evict()`, and not the other.'));
  },
};

export const EVICTION_RULES: readonly EvictionRule[] = [
  {
    sentence: 'An empty container has nothing to evict: `fast` is false, and evict says why it does nothing.',
    async check(container) {
      const { fast } = container as { readonly fast: unknown };
      expect(fast === false, `fast is ${String(fast)} while there are no values.`);
      const evicted = await evictOnce(container);
      const freedBytes = 'freedBytes' in evicted ? evicted.freedBytes : 0;
      expect(freedBytes === 0, `evict says that it freed ${freedBytes} bytes, but there are no values.`);
    },
  },
  {
    sentence: 'While `fast` is true evict moves something out, until `fast` is false or it says why not.',
    async check(container) {
      await fill(container);
      const { fast } = container as { readonly fast: unknown };
      expect(typeof fast === 'boolean', `fast is ${typeof fast}, no boolean.`);
      await evictAll(container);
    },
  },
  {
    sentence: 'What evict says it freed comes to no more than the bytes that were set.',
    async check(container) {
      await fill(container);
      const freedBytes = await evictAll(container);
      const setBytes = KEYS.length * VALUE_BYTES;
      expect(freedBytes <= setBytes, `evict freed ${freedBytes} bytes by its own count, of ${setBytes} set.`);
    },
  },
  {
    sentence: 'No value is lost by evicting.',
    async check(container) {
      await fill(container);
      await evictAll(container);
      await expectKeys(container, KEYS);
      for (const [seed, key] of KEYS.entries())
        await expectValue(container, key, patternBytes(VALUE_BYTES, seed));
    },
  },
  {
    sentence: 'No value is lost by evicting while others are set, read and evicted.',
    async check(container) {
      await fill(container);
      await Promise.all([
        evictAll(container),
        evictAll(container),
        ...KEYS.map((key, seed) => container.set(`new-${key}`, patternBytes(VALUE_BYTES, seed + 100))),
        ...KEYS.map(async (key, seed) =>
          expectSame(await container.get(key), patternBytes(VALUE_BYTES, seed), key),
        ),
      ]);
      for (const [seed, key] of KEYS.entries()) {
        await expectValue(container, key, patternBytes(VALUE_BYTES, seed));
        await expectValue(container, `new-${key}`, patternBytes(VALUE_BYTES, seed + 100));
      }
    },
  },
  {
    sentence: 'An evicted value can be replaced, and deleted.',
    async check(container) {
      await fill(container);
      await evictAll(container);
      await container.set('k0', patternBytes(10, 99));
      await container.delete('k1');
      await expectValue(container, 'k0', patternBytes(10, 99));
      await expectNothing(container, 'k1');
      await evictAll(container);
      await expectValue(container, 'k0', patternBytes(10, 99));
      await expectNothing(container, 'k1');
    },
  },
];

async function fill(container: ValueContainer): Promise<void> {
  for (const [seed, key] of KEYS.entries()) await container.set(key, patternBytes(VALUE_BYTES, seed));
}

/** Returns the bytes freed. */
async function evictAll(container: Evicting): Promise<number> {
  let freedBytes = 0;
  for (let evictCount = 0; container.fast; evictCount++) {
    expect(
      evictCount < EVICTS_MAX,
      `fast is true still after ${EVICTS_MAX} evictions of ${KEYS.length} values.`,
    );
    const evicted = await evictOnce(container);
    if ('reason' in evicted) break;
    freedBytes += evicted.freedBytes;
  }
  return freedBytes;
}

async function evictOnce(container: Evicting): Promise<Evicted> {
  const evicted = (await container.evict().catch((error: unknown) => {
    throw new BrokenRule(`evict rejected (${String(error)}): it should say why as a reason.`);
  })) as unknown;
  const said = typeof evicted === 'object' && evicted !== null ? evicted : {};
  const freedBytes: unknown = Reflect.get(said, 'freedBytes');
  const reason: unknown = Reflect.get(said, 'reason');
  if (typeof freedBytes === 'number' && freedBytes >= 0 && Number.isFinite(freedBytes)) return { freedBytes };
  if (typeof reason === 'string' && reason !== '') return { reason };
  throw new BrokenRule(`evict gave ${JSON.stringify(evicted)}: neither bytes that it freed nor a reason.`);
}
