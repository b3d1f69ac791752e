/** Values that a worker has on disk only, served by a real thread from a real disk. */
import { open as openFile, rm } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { SeededRandom, type TaskKey } from '@spillway/kernel';
import { SMALL_VALUE_BYTES } from '@spillway/messages';
import type { SpillCompression } from '@spillway/worker-store';
import { DiskSource } from './testing/disk-source.js';
import { entryThatDiesOf, key, MiB, PEER, request, transferRig, valuesOf } from './transfer-rig.spec-d.js';

const { open, start } = transferRig();

// Threads that start and values of 64 MiB take their time on a machine that has other things to do.
jest.setTimeout(60_000);

async function aSource(compression: SpillCompression = false): Promise<DiskSource> {
  const source = await DiskSource.create(compression);
  open.push(source);
  return source;
}

const random = new SeededRandom(1);
const BLOCK = Uint8Array.from({ length: 65_521 }, (_, at) => (at % 2 === 0 ? random.below(256) : 7));

/** Bytes of which half shrinks, others for each size. */
function bytes(count: number): Uint8Array {
  const data = new Uint8Array(
    count > SMALL_VALUE_BYTES ? new SharedArrayBuffer(count) : new ArrayBuffer(count),
  );
  for (let at = 0; at < count; at += BLOCK.length) data.set(BLOCK.subarray(0, count - at), at);
  data.fill(count, 0, 64);
  return data;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}

/** Changes one byte of what stands for the value on disk, so many bytes after the start of its record. */
async function flip(source: DiskSource, name: TaskKey, at: number): Promise<void> {
  const read = source.store.openRead(name)!;
  const file = await openFile(read.path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, read.offset + at);
  await file.write(Buffer.from([buffer[0]! ^ 1]), 0, 1, read.offset + at);
  await file.close();
  read.release();
}

const SIZES = [0, 1, 4_097, 16_384, 16_385, MiB - 1, MiB, MiB + 1, 20 * MiB + 3];

test.each([false, 'lz4', 'gzip', 'brotli'] as const)(
  'with compression %s, values of all sizes arrive as they were, and stay on disk only',
  async (compression) => {
    const source = await aSource(compression);
    const values = Object.fromEntries(SIZES.map((size) => [`v${size}`, bytes(size)]));
    await source.spill(values);
    const holder = await start(source);
    const receiver = await start(await aSource());

    const arrived = valuesOf(await receiver.gather(request(holder.address, ...Object.keys(values))));

    expect(arrived.map((value) => [value.key, value.payload.encoding])).toEqual(
      Object.keys(values).map((name) => [name, 'bytes']),
    );
    for (const { key: name, payload } of arrived)
      expect([name, Buffer.compare(payload.data, values[name]!)]).toEqual([name, 0]);
    await until(() => source.openCount === 0);
    expect([source.store.managedBytes, source.unreadable]).toEqual([0, []]);
  },
);

test('thousands of small values arrive in one fetch, beside some that are in RAM and some that are nowhere', async () => {
  const source = await aSource('lz4');
  const names = Array.from({ length: 3_000 }, (_, index) => `small-${index}`);
  const values = Object.fromEntries(names.map((name, index) => [name, bytes(index % 5_000)]));
  await source.spill(values);
  for (const name of names.slice(1_000, 1_100)) await source.store.load(key(name));
  for (const name of names.slice(2_000, 2_010)) source.store.free(key(name));
  const holder = await start(source);
  const receiver = await start(await aSource());

  const outcome = await receiver.gather(request(holder.address, ...names));

  expect(outcome).toMatchObject({ type: 'gather-success', missing: names.slice(2_000, 2_010) });
  expect(valuesOf(outcome)).toHaveLength(2_990);
  for (const { key: name, payload } of valuesOf(outcome))
    expect([name, Buffer.compare(payload.data, values[name]!)]).toEqual([name, 0]);
  await until(() => source.openCount === 0);
});

describe('a value of which a byte has changed on disk', () => {
  test.each([
    ['small, in its header', 100, 20],
    ['small, in its bytes', 100, 80],
    ['large, in its header', 3 * MiB, 10],
    ['large, in its first piece', 3 * MiB, 1_000],
  ])('%s: is missing, is reported, and the others arrive', async (_what, size, at) => {
    const source = await aSource();
    await source.spill({ x: bytes(size), y: bytes(size) });
    await flip(source, key('x'), at);
    const holder = await start(source);
    const receiver = await start(await aSource());

    const outcome = await receiver.gather(request(holder.address, 'x', 'y'));

    expect(outcome).toMatchObject({ type: 'gather-success', missing: ['x'], values: [{ key: 'y' }] });
    await until(() => source.openCount === 0);
    expect([source.unreadable, source.lost, source.store.has(key('x'))]).toEqual([
      [['x', 'damaged']],
      ['x'],
      false,
    ]);
  });

  test.each([false, 'lz4'] as const)(
    'in its last piece, with compression %s: never arrives, is reported, and values before it are kept',
    async (compression) => {
      const source = await aSource(compression);
      await source.spill({ a: bytes(50_000), x: bytes(6 * MiB) });
      const read = source.store.openRead(key('x'))!;
      await flip(source, key('x'), read.recordBytes - 1);
      read.release();
      const holder = await start(source);
      const receiver = await start(await aSource());

      const outcome = await receiver.gather(request(holder.address, 'a', 'x'));

      expect(outcome).toMatchObject({
        type: 'gather-network-failure',
        values: [{ key: 'a' }],
        message: expect.stringMatching(/has lost its value of x/) as string,
      });
      await until(() => source.openCount === 0);
      expect([source.unreadable, source.lost]).toEqual([[['x', 'damaged']], ['x']]);
      // Once it is known, it is missing.
      expect(await receiver.gather(request(holder.address, 'x'))).toMatchObject({ missing: ['x'] });
    },
  );
});

test('a value whose file was removed is missing, and is reported', async () => {
  const source = await aSource();
  await source.spill({ x: bytes(20 * MiB), y: bytes(100) });
  await rm(source.folder.path, { recursive: true });
  const holder = await start(source);
  const receiver = await start(await aSource());

  const outcome = await receiver.gather(request(holder.address, 'x', 'y'));

  expect(outcome).toMatchObject({ type: 'gather-success', missing: ['x', 'y'], values: [] });
  await until(() => source.openCount === 0);
  expect(source.unreadable).toEqual([
    ['x', 'gone'],
    ['y', 'gone'],
  ]);
});

test('a file stays while it is served, whatever is freed, and goes afterwards', async () => {
  const source = await aSource();
  const data = bytes(20 * MiB);
  await source.spill({ x: data });
  source.onOpened = async () => {
    source.store.free(key('x'));
    // The disk keeps the order of deleting and writing: had it been asked to delete the file, it would be gone now.
    source.onOpened = () => undefined;
    await source.spill({ y: bytes(10) });
    expect(await source.segments()).toHaveLength(2);
  };
  const holder = await start(source);
  const receiver = await start(await aSource());

  const [arrived] = valuesOf(await receiver.gather(request(holder.address, 'x')));

  expect(Buffer.compare(arrived!.payload.data, data)).toBe(0);
  await until(() => source.openCount === 0);
  await source.spill({ z: bytes(10) });
  expect(await source.segments()).toHaveLength(1);
});

test('a receiver that leaves in the middle has everything released', async () => {
  const source = await aSource();
  await source.spill({ a: bytes(10), b: bytes(10), x: bytes(64 * MiB), y: bytes(5 * MiB) });
  const holder = await start(source);
  const receiver = await start(await aSource());
  source.onOpened = (read) => {
    if (read.key === key('y')) receiver.forget(PEER);
  };

  const outcome = await receiver.gather(request(holder.address, 'a', 'b', 'x', 'y'));

  expect(outcome.type).toBe('gather-network-failure');
  await until(() => source.openCount === 0);
  source.store.free(key('x'));
  expect(source.unreadable).toEqual([]);
});

test('a thread that dies in the middle has everything released', async () => {
  const source = await aSource();
  await source.spill({ x: bytes(64 * MiB) });
  const holder = await start(source, { entry: await entryThatDiesOf('set-accepting-tasks') });
  const receiver = await start(await aSource());
  const gathering = receiver.gather(request(holder.address, 'x'));
  await until(() => source.openCount === 1);

  holder.setAcceptingTasks(false);

  expect((await gathering).type).toBe('gather-network-failure');
  await until(() => source.openCount === 0);
});

test('a value that is answered when the thread has ended is released', async () => {
  const source = await aSource();
  await source.spill({ x: bytes(MiB) });
  let answer = (): void => undefined;
  source.onOpened = () => new Promise<void>((resolve) => (answer = resolve));
  const holder = await start(source, { closeTimeoutMs: 50 });
  const receiver = await start(await aSource());
  const gathering = receiver.gather(request(holder.address, 'x'));
  await until(() => source.openCount === 1);
  await holder.close();
  expect((await gathering).type).toBe('gather-network-failure');

  answer();

  await until(() => source.openCount === 0);
});
