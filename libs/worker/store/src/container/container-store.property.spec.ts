/** Whatever is asked, in whatever order, of a container that fails now and then: nothing is lost unseen, and sums add up. */
import * as fc from 'fast-check';
import { asTaskKey, type TaskKey } from '@spillway/kernel';
import type { Evicted } from '@spillway/value-container';
import { TwoMapContainer } from '@spillway/value-container/testing';
import { ContainerStore } from './container-store.js';

type Step =
  | { readonly type: 'put' | 'free' | 'load'; readonly key: number }
  | { readonly type: 'evict'; readonly keys: readonly number[] }
  | { readonly type: 'turn' };

/** Takes a turn or none over everything, and fails where the list says so. */
class MoodyContainer extends TwoMapContainer {
  constructor(private readonly moods: readonly number[]) {
    super();
  }
  #askedCount = 0;

  override async set(key: string, value: Uint8Array): Promise<void> {
    await this.#mood();
    await super.set(key, value);
  }
  override async get(key: string): Promise<Uint8Array | undefined> {
    const bytes = await super.get(key);
    await this.#mood(false);
    return bytes;
  }
  override async delete(key: string): Promise<void> {
    await this.#mood(false);
    await super.delete(key);
  }
  override async evict(): Promise<Evicted> {
    await this.#mood();
    return super.evict();
  }

  async #mood(mayFail = true): Promise<void> {
    const mood = this.moods[this.#askedCount++ % this.moods.length] ?? 0;
    if (mood > 1) await new Promise(setImmediate);
    if (mood === 0 && mayFail) throw new Error('not in the mood');
  }
}

const KEY_COUNT = 5;
const key = fc.nat(KEY_COUNT - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constantFrom('put', 'free', 'load'), key }),
  fc.record({ type: fc.constant('evict'), keys: fc.uniqueArray(key) }),
  fc.record({ type: fc.constant('turn') }),
);
const keyOf = (index: number): TaskKey => asTaskKey(`k${index}`);

test('a value held is what was put, sums add up, and the container ends with what it should have', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.array(fc.nat(5), { minLength: 1, maxLength: 20 }),
      async (steps, moods) => {
        const container = new MoodyContainer(moods);
        const store = new ContainerStore({
          container,
          closesContainer: true,
          onLost: (keys) => {
            throw new Error(`lost ${keys.join(', ')}`);
          },
          onTrouble: () => undefined,
        });
        const expected = new Map<number, number>();
        const loads: Promise<void>[] = [];
        const load = async (index: number): Promise<void> => {
          const loaded = await store.load(keyOf(index));
          if (loaded !== undefined) expect(loaded.data[0]).toBe(index);
        };
        for (const [at, one] of steps.entries()) {
          if (one.type === 'turn') await new Promise(setImmediate);
          else if (one.type === 'evict') loads.push(evictAndCheck(store, one.keys.map(keyOf)));
          else if (one.type === 'load') loads.push(load(one.key));
          else if (one.type === 'free') {
            store.free(keyOf(one.key));
            expected.delete(one.key);
          } else if (!expected.has(one.key)) {
            const byteCount = 1 + (at % 7) * 10;
            store.put(keyOf(one.key), { encoding: 'v8', data: new Uint8Array(byteCount).fill(one.key) });
            expected.set(one.key, byteCount);
          }
          checkSums(store, expected);
        }
        await Promise.all(loads);
        for (const [index, byteCount] of expected)
          expect(await store.load(keyOf(index))).toEqual({
            encoding: 'v8',
            data: new Uint8Array(byteCount).fill(index),
          });
        const inRamHere = [...store.keys()].filter((held) => store.peek(held) !== undefined);
        await store.close();
        checkSums(store, expected);
        for await (const contained of container.keys()) expect(store.has(asTaskKey(contained))).toBe(true);
        expect(await container.count()).toBeGreaterThanOrEqual(expected.size - inRamHere.length);
      },
    ),
    { numRuns: 300 },
  );
});

async function evictAndCheck(store: ContainerStore, keys: readonly TaskKey[]): Promise<void> {
  const { evicted, kept, failed } = await store.evict(keys);
  expect([...evicted, ...kept, ...failed].map((one) => one.key).toSorted()).toEqual(keys.toSorted());
}

function checkSums(store: ContainerStore, expected: ReadonlyMap<number, number>): void {
  const heldBytes = [...expected.values()].reduce((sum, one) => sum + one, 0);
  expect(store.managedBytes + store.spilledBytes).toBe(heldBytes);
  expect(Math.min(store.managedBytes, store.spilledBytes)).toBeGreaterThanOrEqual(0);
  expect(store.keyCount).toBe(expected.size);
}
