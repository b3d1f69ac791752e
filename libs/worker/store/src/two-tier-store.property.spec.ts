import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { asTaskKey, type TaskKey } from '@spillway/kernel';
import type { SpillFailureReason } from '@spillway/messages';
import type { SpilledRead } from '@spillway/ports';
import { FakeDisk } from './testing/fake-disk.js';
import { TwoTierStore } from './two-tier-store.js';

type Action =
  | { do: 'put'; key: number; bytes: number }
  | { do: 'free'; key: number }
  | { do: 'replace'; key: number; bytes: number }
  | { do: 'evict'; keys: number[] }
  | { do: 'load'; key: number }
  | { do: 'open'; key: number }
  | { do: 'release' }
  | { do: 'use'; key: number }
  | { do: 'spoil'; key: number }
  | { do: 'disk'; failure: SpillFailureReason | undefined };

const keyIndex = fc.nat(3);
const ACTION: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('put' as const), key: keyIndex, bytes: fc.nat(400) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('free' as const), key: keyIndex }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('replace' as const), key: keyIndex, bytes: fc.nat(400) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('evict' as const), keys: fc.array(keyIndex, { maxLength: 6 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('load' as const), key: keyIndex }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('open' as const), key: keyIndex }) },
  { weight: 1, arbitrary: fc.constant({ do: 'release' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('use' as const), key: keyIndex }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('spoil' as const), key: keyIndex }) },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant('disk' as const),
      failure: fc.oneof(
        { weight: 6, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: fc.constantFrom<SpillFailureReason>('disk-full', 'io-error', 'folder-lost') },
      ),
    }),
  },
);

const nameOf = (index: number): TaskKey => asTaskKey(`k${index}`);

/** The store beside a plain map of what was put. */
class Pair {
  readonly disk = new FakeDisk();
  /** Content by key: a number that fills all of the value's bytes, and how many they are. */
  readonly model = new Map<TaskKey, { fill: number; bytes: number }>();
  readonly inUse = new Set<TaskKey>();
  readonly lost: TaskKey[] = [];
  readonly store: TwoTierStore;
  readonly #opened: SpilledRead[] = [];
  readonly #checks: Promise<void>[] = [];
  #nextFill = 1;

  constructor(maxSpillBytes: number | false) {
    this.store = new TwoTierStore({
      disk: this.disk,
      maxSpillBytes,
      isInUse: (key) => this.inUse.has(key),
      onLost: (keys) => {
        this.lost.push(...keys);
        for (const key of keys) this.model.delete(key);
      },
    });
  }

  act(action: Action): void {
    switch (action.do) {
      case 'put':
        this.#put(nameOf(action.key), action.bytes);
        break;
      case 'free':
        this.#free(nameOf(action.key));
        break;
      case 'replace':
        this.#free(nameOf(action.key));
        this.#put(nameOf(action.key), action.bytes);
        break;
      case 'evict':
        this.#evict([...new Set(action.keys.map(nameOf))]);
        break;
      case 'load':
        this.#load(nameOf(action.key));
        break;
      case 'open': {
        const read = this.store.openRead(nameOf(action.key));
        if (read !== undefined) this.#opened.push(read);
        break;
      }
      case 'release':
        this.#opened.shift()?.release();
        break;
      case 'use':
        this.inUse.add(nameOf(action.key));
        break;
      case 'spoil':
        this.#spoil(nameOf(action.key));
        break;
      case 'disk':
        this.disk.step(action.failure);
        break;
    }
  }

  check(): void {
    let ramBytes = 0;
    for (const [key, content] of this.model) {
      expect([key, this.store.has(key), this.store.location(key) !== undefined]).toEqual([key, true, true]);
      const payload = this.store.peek(key);
      expect([key, payload === undefined]).toEqual([key, this.store.location(key) === 'disk']);
      if (payload !== undefined) expectContent(payload.data, content);
      ramBytes += payload?.data.byteLength ?? 0;
      this.#checkOnDisk(key, content);
    }
    expect([...this.store.keys()].sort()).toEqual([...this.model.keys()].sort());
    expect(this.store.managedBytes).toBe(ramBytes);
    expect(this.disk.fileBytes).toBeGreaterThanOrEqual(this.store.spilledBytes);
    for (const read of this.#opened) expect(this.disk.segments.has(segmentOf(read))).toBe(true);
  }

  async finish(): Promise<void> {
    for (const read of this.#opened.splice(0)) read.release();
    await this.#settle();
    await Promise.all(this.#checks);
    for (const [key, content] of [...this.model]) {
      const loading = this.store.load(key);
      await this.#settle();
      const payload = await loading;
      if (payload !== undefined) expectContent(payload.data, content);
      // Only what the test itself had spoiled may be missing, and then it was said.
      else expect(this.lost).toContain(key);
    }
    for (const key of [...this.store.keys()]) this.store.free(key);
    await this.#settle();
    expect({ ram: this.store.managedBytes, disk: this.store.spilledBytes }).toEqual({ ram: 0, disk: 0 });
    expect(this.disk.segments.size).toBe(0);
  }

  #free(key: TaskKey): void {
    this.store.free(key);
    this.model.delete(key);
  }

  #put(key: TaskKey, bytes: number): void {
    const fill = this.#nextFill++ % 256;
    this.store.put(key, { encoding: 'bytes', data: new Uint8Array(bytes).fill(fill) });
    if (!this.model.has(key)) this.model.set(key, { fill, bytes });
  }

  #evict(keys: TaskKey[]): void {
    const check = this.store.evict(keys).then(({ evicted, kept, failed }) => {
      const answered = [...evicted, ...kept, ...failed].map(({ key }) => key);
      for (const { key } of kept) expect(this.inUse).toContain(key);
      expect(answered.sort()).toEqual(keys.sort());
    });
    this.#checks.push(check);
  }

  #load(key: TaskKey): void {
    const content = this.model.get(key);
    const check = this.store.load(key).then((payload) => {
      const now = this.model.get(key);
      // Freed, or put again, while it was read: what is returned belongs to the present.
      if (payload !== undefined && now === content && content !== undefined)
        expectContent(payload.data, content);
      else if (payload !== undefined && now !== undefined) expectContent(payload.data, now);
    });
    this.#checks.push(check);
  }

  #spoil(key: TaskKey): void {
    const read = this.store.openRead(key);
    if (read !== undefined) this.disk.spoil({ segment: segmentOf(read), offset: read.offset }, 'damaged');
    read?.release();
  }

  #checkOnDisk(key: TaskKey, { fill, bytes }: { fill: number; bytes: number }): void {
    const read = this.store.openRead(key);
    expect([key, read !== undefined]).toEqual([key, this.store.location(key) !== 'ram']);
    if (read === undefined) return;
    const record = this.disk.segments.get(segmentOf(read))?.get(read.offset);
    expect(record?.key).toBe(key);
    expectContent(record!.payload.data, { fill, bytes });
    read.release();
  }

  async #settle(): Promise<void> {
    for (;;) {
      await setImmediate();
      if (!this.disk.step()) break;
    }
  }
}

const segmentOf = (read: SpilledRead): number => Number(read.path.split('/')[1]);

function expectContent(data: Uint8Array, { fill, bytes }: { fill: number; bytes: number }): void {
  expect(data.byteLength).toBe(bytes);
  expect(data.every((byte) => byte === fill)).toBe(true);
}

test('whatever is put, evicted, loaded, freed and broken, in whatever order the disk answers, a value is in RAM, on disk or both', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(ACTION, { minLength: 10, maxLength: 80 }),
      fc.constantFrom<number | false>(false, 3000),
      async (actions, maxSpillBytes) => {
        const pair = new Pair(maxSpillBytes);
        for (const action of actions) {
          pair.act(action);
          // Answers of the disk, and what follows from them, arrive between two actions or some turns later.
          await Promise.resolve();
          if (action.do === 'disk') await setImmediate();
          pair.check();
        }
        await pair.finish();
      },
    ),
    { numRuns: 200 },
  );
}, 60_000);
