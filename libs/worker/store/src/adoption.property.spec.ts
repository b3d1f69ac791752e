import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { asTaskKey, type TaskKey } from '@spillway/kernel';
import { FakeDisk } from './testing/fake-disk.js';
import { TwoTierStore } from './two-tier-store.js';

type Action =
  | { do: 'put'; key: number; bytes: number }
  | { do: 'free'; key: number }
  | { do: 'evict'; keys: number[] }
  | { do: 'load'; key: number }
  | { do: 'disk'; isFull: boolean }
  | { do: 'settle' }
  | { do: 'die' };

const keyIndex = fc.nat(7);
const one = <Name extends Action['do']>(name: Name): fc.Arbitrary<{ do: Name }> =>
  fc.record({ do: fc.constant(name) });
const ACTION: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), key: keyIndex, bytes: fc.nat(400) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('free' as const), key: keyIndex }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('evict' as const), keys: fc.array(keyIndex, { maxLength: 8 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('load' as const), key: keyIndex }) },
  {
    weight: 9,
    arbitrary: fc.record({ do: fc.constant('disk' as const), isFull: fc.nat(15).map((n) => n === 0) }),
  },
  { weight: 1, arbitrary: one('settle') },
  { weight: 1, arbitrary: one('die') },
);

const nameOf = (index: number): TaskKey => asTaskKey(`k${index}`);

/** What fills all of a value's bytes, and how many they are. */
interface Content {
  readonly fill: number;
  readonly bytes: number;
}

/** Several lives of a worker with one disk, beside a plain map of what was put. */
class Lives {
  readonly disk = new FakeDisk();
  readonly model = new Map<TaskKey, Content>();
  /** What may be found although it was freed: nothing says yet that this was noted. */
  readonly #freed = new Map<TaskKey, Content[]>();
  #store = this.#begin();
  #wasFull = false;
  #nextFill = 1;

  async act(action: Action): Promise<void> {
    switch (action.do) {
      case 'put':
        this.#put(nameOf(action.key), action.bytes);
        break;
      case 'free':
        this.#free(nameOf(action.key));
        break;
      case 'evict':
        void this.#store.evict([...new Set(action.keys.map(nameOf))]);
        break;
      case 'load':
        void this.#store.load(nameOf(action.key));
        break;
      case 'disk':
        this.#wasFull ||= action.isFull;
        this.disk.step(action.isFull ? 'disk-full' : undefined);
        await setImmediate();
        break;
      case 'settle':
        await this.#settle();
        break;
      case 'die':
        this.die();
        break;
    }
  }

  die(): void {
    this.disk.abandon();
    const found = this.disk.found();
    const foundKeys = new Set(found.values.map(({ key }) => key));
    for (const key of this.model.keys()) {
      if (this.#store.location(key) !== 'ram') expect(foundKeys).toContain(key);
      else if (!foundKeys.has(key)) this.model.delete(key);
    }
    for (const { key, position } of found.values) {
      const { data } = this.disk.segments.get(position.segment)!.get(position.offset)!.payload;
      const possible = [this.model.get(key) ?? [], this.#freed.get(key) ?? []].flat();
      const content = possible.find(
        ({ fill, bytes }) => data.byteLength === bytes && data[0] === at(fill, bytes),
      );
      expect([key, content !== undefined]).toEqual([key, true]);
      this.model.set(key, content!);
    }
    this.#store = this.#begin();
    this.#store.adopt(found);
    expect([...this.#store.keys()].sort()).toEqual([...this.model.keys()].sort());
    expect(this.#store.spilledBytes).toBe(
      found.values.reduce((sum, { position }) => sum + position.recordBytes, 0),
    );
  }

  async finish(): Promise<void> {
    for (const [key, { fill, bytes }] of this.model) {
      const loading = this.#store.load(key);
      await this.#settle();
      const data = (await loading)?.data;
      expect([key, data?.byteLength, data?.every((byte) => byte === fill)]).toEqual([key, bytes, true]);
    }
    for (const key of [...this.#store.keys()]) this.#free(key);
    await this.#settle();
    expect(this.disk.segments.size).toBe(0);
  }

  #begin(): TwoTierStore {
    return new TwoTierStore({
      disk: this.disk,
      maxSpillBytes: false,
      leavesValues: true,
      onLost: (keys) => expect(keys).toEqual([]),
    });
  }

  #put(key: TaskKey, bytes: number): void {
    if (this.#store.has(key)) return;
    const fill = this.#nextFill++ % 256;
    this.#store.put(key, { encoding: 'bytes', data: new Uint8Array(bytes).fill(fill) });
    this.model.set(key, { fill, bytes });
  }

  #free(key: TaskKey): void {
    const content = this.model.get(key);
    this.#store.free(key);
    this.model.delete(key);
    if (content !== undefined) this.#freed.set(key, [...(this.#freed.get(key) ?? []), content]);
  }

  /** Everything asked is done, and so all that was freed is noted, unless the disk had no room for that. */
  async #settle(): Promise<void> {
    for (;;) {
      await setImmediate();
      if (!this.disk.step()) break;
    }
    if (!this.#wasFull) this.#freed.clear();
  }
}

const at = (fill: number, bytes: number): number | undefined => (bytes > 0 ? fill : undefined);

test('whenever a worker dies, its successor finds all that was on disk, with what was put last, and nothing whose end was noted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(ACTION, { minLength: 10, maxLength: 120 }), async (actions) => {
      const lives = new Lives();
      for (const action of actions) await lives.act(action);
      await lives.act({ do: 'settle' });
      lives.die();
      await lives.finish();
    }),
    { numRuns: 200 },
  );
}, 120_000);
