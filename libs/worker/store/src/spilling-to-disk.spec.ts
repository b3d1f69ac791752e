/** The store on a real thread and a real disk. */
import { open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { types } from 'node:util';
import { bundleThreadEntry, watchLeaks } from '@spillway/testkit';
import type { TaskKey } from '@spillway/kernel';
import { SMALL_VALUE_BYTES, type Payload } from '@spillway/messages';
import type { SpilledRead } from '@spillway/ports';
import { readSpilled } from './disk/read-spilled.js';
import { filled, keyOf, noise, shrinkable, SpillRig } from './testing/spill-rig.js';

const MIB = 1024 * 1024;

/** Puts and evicts, and expects that all went to disk. */
async function spill(rig: SpillRig, values: readonly (readonly [TaskKey, Payload])[]): Promise<void> {
  for (const [key, payload] of values) rig.store.put(key, payload);
  const { failed } = await rig.store.evict(values.map(([key]) => key));
  expect(failed).toEqual([]);
}

const isSame = (one: Uint8Array | undefined, other: Uint8Array): boolean =>
  one !== undefined && Buffer.compare(one, other) === 0;

async function streamed(read: SpilledRead): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of readSpilled(read)) {
    expect(part.byteLength).toBeLessThanOrEqual(MIB);
    // The next one comes in its place.
    parts.push(Uint8Array.from(part));
  }
  return Buffer.concat(parts);
}

/** Changes one byte of the file that the value lies in, near the end of its record. */
async function flip(read: SpilledRead): Promise<void> {
  const file = await open(read.path, 'r+');
  const at = read.offset + read.recordBytes - 3;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
  await file.write(Buffer.from([buffer[0]! ^ 1]), 0, 1, at);
  await file.close();
}

const SIZES = [
  0,
  1,
  4097,
  SMALL_VALUE_BYTES,
  SMALL_VALUE_BYTES + 1,
  65_536,
  65_537,
  MIB - 1,
  MIB,
  MIB + 1,
  9 * MIB + 7,
  17 * MIB,
];

describe.each([false, 'gzip', 'brotli', 'lz4', 'auto'] as const)('with compression %s', (compression) => {
  test('values of all sizes come back as they were, all at once and streamed', async () => {
    await using rig = await SpillRig.start({ thread: { compression } });
    const values = SIZES.flatMap((size) => [
      [keyOf(`noise-${size}`), filled(size)] as const,
      [keyOf(`text-${size}`), shrinkable(size)] as const,
    ]);
    await spill(rig, values);
    expect(rig.store.managedBytes).toBe(0);

    for (const [key, payload] of values) {
      const read = rig.store.openRead(key)!;
      expect([key, read.rawBytes, isSame(await streamed(read), payload.data)]).toEqual([
        key,
        payload.data.byteLength,
        true,
      ]);
      read.release();
      const loaded = await rig.store.load(key);
      expect([key, loaded?.encoding, isSame(loaded?.data, payload.data)]).toEqual([
        key,
        payload.encoding,
        true,
      ]);
      expect(types.isSharedArrayBuffer(loaded!.data.buffer)).toBe(
        payload.data.byteLength > SMALL_VALUE_BYTES,
      );
      rig.store.free(key);
    }
  }, 60_000);
});

test('compressed values take less of the disk, and the counters say what was done', async () => {
  await using rig = await SpillRig.start({ thread: { compression: 'gzip' } });
  const payload = shrinkable(4 * MIB);
  await spill(rig, [[keyOf('x'), payload]]);
  expect(rig.store.spilledBytes).toBeLessThan(MIB);
  expect(rig.store.openRead(keyOf('x'))?.codec).toBe('gzip');
  await rig.store.load(keyOf('x'));

  const counters = rig.store.spillCounters;
  expect(counters).toMatchObject({
    writeCount: 1,
    writeBytes: rig.store.spilledBytes,
    readCount: 1,
    compressBytes: 4 * MIB,
    decompressBytes: 4 * MIB,
  });
  for (const seconds of [counters.writeSeconds, counters.readSeconds, counters.compressSeconds])
    expect(seconds).toBeGreaterThan(0);
});

test('many small values share a file, and a large one has its own', async () => {
  await using rig = await SpillRig.start();
  const small = Array.from({ length: 5_000 }, (_, index) => [keyOf(index), noise(100, index)] as const);
  await spill(rig, [...small, [keyOf('large'), filled(17 * MIB)]]);

  expect(await rig.segments()).toHaveLength(2);
  for (const [key, payload] of [small[0]!, small[2_500]!, small[4_999]!])
    expect(isSame((await rig.store.load(key))?.data, payload.data)).toBe(true);
});

test('files are private, in a private folder, and their names say nothing of keys', async () => {
  await using rig = await SpillRig.start();
  await spill(rig, [[keyOf('../../../escape'), noise(10)]]);

  expect((await stat(rig.folder.path)).mode & 0o777).toBe(0o700);
  const [name] = await rig.segments();
  expect(name).toMatch(/^\d+\.segment$/);
  expect((await stat(join(rig.folder.path, name!))).mode & 0o777).toBe(0o600);
});

test('evicting what was read back writes nothing', async () => {
  await using rig = await SpillRig.start();
  const key = keyOf('x');
  await spill(rig, [[key, filled(MIB)]]);
  const { writeBytes } = rig.store.spillCounters;
  for (let round = 0; round < 3; round++) {
    await rig.store.load(key);
    await rig.store.evict([key]);
  }
  expect([rig.store.location(key), rig.store.spillCounters.writeBytes]).toEqual(['disk', writeBytes]);
});

test('files go when nothing in them is wanted any more', async () => {
  await using rig = await SpillRig.start();
  const small = Array.from({ length: 100 }, (_, index) => [keyOf(index), noise(100)] as const);
  await spill(rig, [...small, [keyOf('large'), filled(17 * MIB)]]);

  for (const [key] of small) rig.store.free(key);
  rig.store.free(keyOf('large'));
  await rig.store.close();

  expect(await rig.segments()).toEqual([]);
});

test('segments of which most is freed are compacted, and what is left stays whole', async () => {
  await using rig = await SpillRig.start();
  // Two segments of 64 MiB are filled, and a third is begun.
  const values = Array.from({ length: 140 }, (_, index) => [keyOf(index), filled(MIB)] as const);
  await spill(rig, values);
  expect(await rig.segments()).toHaveLength(3);

  const kept = values.filter((_, index) => index % 10 === 0);
  for (const value of values) if (!kept.includes(value)) rig.store.free(value[0]);
  while ((await rig.segments()).length > 1)
    await rig.store.load(keyOf(0)).then(() => rig.thread.collectGarbage());

  for (const [key, payload] of kept) {
    expect(isSame((await rig.store.load(key))?.data, payload.data)).toBe(true);
  }
  expect(rig.store.spilledBytes).toBeLessThan(15 * MIB);
}, 30_000);

describe('damage', () => {
  test.each([
    ['small', 100],
    ['large', 3 * MIB],
  ])('a %s value of which a bit has changed is lost, never returned', async (_, size) => {
    await using rig = await SpillRig.start();
    await spill(rig, [
      [keyOf('x'), filled(size)],
      [keyOf('y'), filled(size)],
    ]);
    const read = rig.store.openRead(keyOf('x'))!;
    await flip(read);

    await expect(streamed(read)).rejects.toThrow(/damaged/);
    read.release();
    expect(await rig.store.load(keyOf('x'))).toBeUndefined();
    expect(rig.lost).toEqual([[keyOf('x'), 'damaged']]);
    expect((await rig.store.load(keyOf('y')))?.data.byteLength).toBe(size);
  });

  test('a value whose file was cut short is lost', async () => {
    await using rig = await SpillRig.start();
    await spill(rig, [[keyOf('x'), filled(MIB)]]);
    await truncate(join(rig.folder.path, (await rig.segments())[0]!), 5_000);

    expect(await rig.store.load(keyOf('x'))).toBeUndefined();
    expect(rig.lost).toEqual([[keyOf('x'), 'damaged']]);
  });

  test('a value whose file was exchanged for another is lost', async () => {
    await using rig = await SpillRig.start();
    await spill(rig, [
      [keyOf('x'), filled(17 * MIB)],
      [keyOf('y'), filled(17 * MIB)],
    ]);
    const [first, second] = await rig.segments();
    await writeFile(join(rig.folder.path, first!), await readFile(join(rig.folder.path, second!)));

    expect(await rig.store.load(keyOf('x'))).toBeUndefined();
    expect(rig.lost).toEqual([[keyOf('x'), 'damaged']]);
  });
});

describe('when the folder is removed by someone else', () => {
  test('what was in it is lost once it is asked for, and new values find a new folder', async () => {
    await using rig = await SpillRig.start({ thread: { leavesTo: 'w' } });
    await spill(rig, [[keyOf('large'), filled(17 * MIB)]]);
    await rm(rig.folder.path, { recursive: true });

    expect(await rig.store.load(keyOf('large'))).toBeUndefined();
    expect(rig.lost).toEqual([[keyOf('large'), 'gone']]);
    await spill(rig, [[keyOf('next'), filled(17 * MIB)]]);
    expect(await rig.segments()).toHaveLength(1);
    expect(JSON.parse(await readFile(join(rig.folder.path, 'owner.json'), 'utf8'))).toMatchObject({
      pid: process.pid,
      leavesTo: 'w',
    });
  });

  test('a value that went to the removed file stays in RAM, and older ones in it can still be read', async () => {
    await using rig = await SpillRig.start();
    await spill(rig, [[keyOf('old'), noise(100)]]);
    await rm(rig.folder.path, { recursive: true });
    rig.store.put(keyOf('new'), noise(200));

    expect((await rig.store.evict([keyOf('new')])).failed).toEqual([
      { key: keyOf('new'), reason: 'folder-lost' },
    ]);
    expect((await rig.store.load(keyOf('old')))?.data.byteLength).toBe(100);
    expect((await rig.store.evict([keyOf('new')])).failed).toEqual([]);
    expect((await rig.store.load(keyOf('new')))?.data.byteLength).toBe(200);
  });

  test('a file in its place keeps values in RAM', async () => {
    await using rig = await SpillRig.start();
    await rm(rig.folder.path, { recursive: true });
    await writeFile(rig.folder.path, 'in the way');
    rig.store.put(keyOf('x'), filled(MIB));

    expect((await rig.store.evict([keyOf('x')])).failed).toEqual([
      { key: keyOf('x'), reason: 'folder-lost' },
    ]);
    expect(rig.store.location(keyOf('x'))).toBe('ram');
  });
});

describe('when the thread ends', () => {
  test('what was being written stays in RAM, and the next thread goes on with the files there are', async () => {
    const dying = await bundleThreadEntry(
      `import { parentPort } from 'node:worker_threads';
       parentPort.on('message', (messages) => { if (messages.some(({ key }) => key === 'k-kill')) process.exit(9); });
       import { runSpillThread } from '@spillway/worker-store'; runSpillThread();`,
      __dirname,
    );
    const ended: string[] = [];
    await using rig = await SpillRig.start({
      thread: { entry: dying, onEnded: (reason) => ended.push(reason) },
    });
    await spill(rig, [
      [keyOf('old'), noise(100)],
      [keyOf('kill'), noise(100)],
    ]);

    await expect(rig.store.load(keyOf('kill'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(ended).toEqual([expect.stringContaining('code 9')]);
    expect(isSame((await rig.store.load(keyOf('old')))?.data, noise(100).data)).toBe(true);
    await spill(rig, [[keyOf('new'), noise(300)]]);
    expect((await rig.store.load(keyOf('new')))?.data.byteLength).toBe(300);
    expect(rig.store.location(keyOf('kill'))).toBe('disk');
  });

  test('one that never starts is not started for ever; values stay in RAM', async () => {
    let endedCount = 0;
    const entry = new URL('no-such-entry.mjs', 'file:///');
    await using rig = await SpillRig.start({
      thread: { entry, onEnded: () => endedCount++ },
    });
    rig.store.put(keyOf('x'), noise(100));
    for (let round = 0; round < 10; round++)
      expect((await rig.store.evict([keyOf('x')])).failed).toEqual([
        { key: keyOf('x'), reason: 'thread-ended' },
      ]);
    expect(endedCount).toBe(5);
    expect(rig.store.location(keyOf('x'))).toBe('ram');
  });
});

test('nothing is left open', async () => {
  const leaks = watchLeaks();
  {
    await using rig = await SpillRig.start();
    await spill(rig, [[keyOf('x'), noise(100)]]);
  }
  await leaks.expectNothingLeft();
});
