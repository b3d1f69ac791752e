/** What a successor takes over of a folder that a real spill thread wrote. */
import { appendFile, mkdir, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import { LeftFolder } from './testing/left-folder.js';
import { filled, keyOf, noise, shrinkable, SpillRig } from './testing/spill-rig.js';
import type { TwoTierStore } from './two-tier-store.js';

const MIB = 1024 * 1024;
const LEAVES = { store: { leavesValues: true } };

type Values = readonly (readonly [TaskKey, Payload])[];

const small = (count: number, bytes = 1000): Values =>
  Array.from({ length: count }, (_, index) => [keyOf(index), noise(bytes, index)] as const);

async function spill(store: TwoTierStore, values: Values): Promise<void> {
  for (const [key, payload] of values) store.put(key, payload);
  const { failed } = await store.evict(values.map(([key]) => key));
  expect(failed).toEqual([]);
}

/** Until all that was freed is noted: such notes go before every read. */
async function noted(store: TwoTierStore, anySpilled: TaskKey): Promise<void> {
  await Promise.resolve();
  await store.load(anySpilled);
}

async function expectExactly(store: TwoTierStore, values: Values): Promise<void> {
  expect([...store.keys()].toSorted()).toEqual(values.map(([key]) => key).toSorted());
  for (const [key, { encoding, data }] of values) {
    expect(store.location(key)).toBe('disk');
    const loaded = await store.load(key);
    expect([key, loaded?.encoding, Buffer.compare(loaded!.data, data)]).toEqual([key, encoding, 0]);
  }
}

test.each([false, 'lz4'] as const)(
  'all that was spilled is there, with compression %s',
  async (compression) => {
    await using rig = await SpillRig.start({ ...LEAVES, thread: { compression } });
    const values = [
      ...small(300),
      [keyOf('empty'), noise(0)],
      [keyOf('text'), shrinkable(3 * MIB)],
      [keyOf('large'), shrinkable(20 * MIB)],
    ] as const;
    await spill(rig.store, values);
    rig.store.put(keyOf('in RAM'), noise(10));

    await using left = await LeftFolder.copyOf(rig.folder.path);
    const store = await left.adopt();

    expect([store.managedBytes, store.spilledBytes]).toEqual([0, rig.store.spilledBytes]);
    await expectExactly(store, values);
  },
);

test('what was freed is not there, nor what was replaced', async () => {
  await using rig = await SpillRig.start(LEAVES);
  const values = small(100);
  await spill(rig.store, values);
  for (const [key] of values.slice(0, 50)) rig.store.free(key);
  const again = values.slice(0, 10).map(([key], index) => [key, noise(500, 1000 + index)] as const);
  await spill(rig.store, again);
  await noted(rig.store, values[60]![0]);

  await using left = await LeftFolder.copyOf(rig.folder.path);
  await expectExactly(await left.adopt(), [...again, ...values.slice(50)]);
});

test('what a successor frees is not found by its own', async () => {
  await using rig = await SpillRig.start(LEAVES);
  const values = small(20);
  await spill(rig.store, values);
  await using left = await LeftFolder.copyOf(rig.folder.path);
  const store = await left.adopt();
  for (const [key] of values.slice(0, 5)) store.free(key);
  const added = [[keyOf('added'), noise(700)]] as const;
  await spill(store, added);
  await noted(store, keyOf('added'));

  await using next = await LeftFolder.copyOf(left.path);
  await expectExactly(await next.adopt(), [...values.slice(5), ...added]);
});

test('of two records of one key the later counts, and the other does not come back when that is freed', async () => {
  // Not noting anything is what a worker does that dies between the two.
  await using rig = await SpillRig.start();
  const [first, second] = [noise(100, 1), noise(100, 2)];
  await spill(rig.store, [
    [keyOf('x'), first],
    [keyOf('y'), first],
  ]);
  rig.store.free(keyOf('x'));
  await spill(rig.store, [[keyOf('x'), second]]);

  await using left = await LeftFolder.copyOf(rig.folder.path);
  const store = await left.adopt();
  await expectExactly(store, [
    [keyOf('x'), second],
    [keyOf('y'), first],
  ]);
  store.free(keyOf('x'));
  await store.evict([keyOf('y')]);
  await noted(store, keyOf('y'));
  // What it compacts and deletes meanwhile must not change under the copy.
  await store.close();
  await using next = await LeftFolder.copyOf(left.path);
  await expectExactly(await next.adopt(), [[keyOf('y'), first]]);
});

test('files in which nothing is live go, and those in which little is are compacted', async () => {
  await using rig = await SpillRig.start(LEAVES);
  const values = Array.from({ length: 140 }, (_, index) => [keyOf(index), filled(MIB)] as const);
  await spill(rig.store, values);
  await rig.store.close();
  await using left = await LeftFolder.copyOf(rig.folder.path);
  const found = await left.scan();
  expect(found.segments).toHaveLength(3);
  const [third, second] = found.segments.map(({ segment }) =>
    found.values.filter(({ position }) => position.segment === segment),
  );
  const live = [...second!.slice(0, 5), ...third!];

  const store = await left.adopt({ ...found, values: live });
  // The first file has gone, and what is live of the second is in a fourth.
  while ((await segmentsOf(left.path)).length > 2) await store.load(live[0]!.key);
  await store.close();

  await using next = await LeftFolder.copyOf(left.path);
  const keys = new Set(live.map(({ key }) => key));
  await expectExactly(
    await next.adopt(),
    values.filter(([key]) => keys.has(key)),
  );
});

const segmentsOf = async (path: string): Promise<string[]> =>
  (await readdir(path)).filter((name) => name.endsWith('.segment'));

describe('a file that ends in the middle of a record', () => {
  async function cut(change: (path: string, lastOffset: number, fileBytes: number) => Promise<void>) {
    await using rig = await SpillRig.start(LEAVES);
    const values = small(3, 5000);
    await spill(rig.store, values);
    await using left = await LeftFolder.copyOf(rig.folder.path);
    const { segments, values: found } = await left.scan();
    const [name] = await segmentsOf(left.path);
    await change(join(left.path, name!), found[2]!.position.offset, segments[0]!.fileBytes);

    const store = await left.adopt();
    await expectExactly(store, values.slice(0, 2));
    // Nothing is written behind it.
    await spill(store, [[keyOf('new'), noise(100)]]);
    expect(await segmentsOf(left.path)).toHaveLength(2);
  }

  test('ends before it: cut off', () => cut((path, _last, fileBytes) => truncate(path, fileBytes - 1)));
  test('ends before it: zeros where the header would be', () =>
    cut(async (path, last, fileBytes) => {
      await truncate(path, last);
      await truncate(path, fileBytes);
    }));
  test('ends before it: half a header', () => cut((path, last) => truncate(path, last + 20)));
  test('ends before it: other bytes', () =>
    cut(async (path, last) => {
      await truncate(path, last);
      await appendFile(path, noise(6000).data);
    }));
});

test('a file of which it cannot be known what is dead in it goes, and what is no segment is not looked at', async () => {
  await using rig = await SpillRig.start(LEAVES);
  const values = small(3);
  await spill(rig.store, values);
  await spill(rig.store, [[keyOf('large'), filled(17 * MIB)]]);
  await using left = await LeftFolder.copyOf(rig.folder.path);
  const [, large] = await segmentsOf(left.path);
  await mkdir(join(left.path, `${large!}.dead`));
  await writeFile(join(left.path, 'other'), 'not ours');

  const store = await left.adopt();
  await expectExactly(store, values);
  await store.close();
  expect(await segmentsOf(left.path)).toHaveLength(1);
});

test('no more keys than can be announced are found: the newest', async () => {
  await using rig = await SpillRig.start(LEAVES);
  const values = small(100, 100);
  await spill(rig.store, values);
  await using left = await LeftFolder.copyOf(rig.folder.path);

  const found = await left.scan(10 * (4 + 16));
  const store = await left.adopt(found);

  await expectExactly(store, values.slice(-10));
  // The others are not found by the next one either.
  await store.close();
  await using next = await LeftFolder.copyOf(left.path);
  await expectExactly(await next.adopt(), values.slice(-10));
});
