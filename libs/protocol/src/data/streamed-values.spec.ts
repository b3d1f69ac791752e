/** Values that are read while they are sent: they arrive whole or not at all, and are released however that ends. */
import { setImmediate } from 'node:timers/promises';
import { InvalidArgumentError, LostDataError } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import {
  dataRig,
  Door,
  expectType,
  key,
  MemorySource,
  MiB,
  patterned,
  readerThatStops,
  until,
} from './fixtures.spec-d.js';
import { LoadAhead } from './load-ahead.js';

const { open, serve, connect } = dataRig();

const wanted = (...names: string[]) => names.map((name) => ({ key: key(name) }));

/** Parts of these sizes, and of the last size for all the rest, each in the place of the one before. */
const inParts = (...sizes: number[]) =>
  async function* ({ data }: Payload): AsyncGenerator<Uint8Array> {
    const buffer = new Uint8Array(Math.max(...sizes));
    for (let at = 0, index = 0; at < data.byteLength; index += 1) {
      const part = data.subarray(at, at + (sizes[index] ?? sizes.at(-1)!));
      buffer.fill(0);
      buffer.set(part);
      await setImmediate();
      yield buffer.subarray(0, part.byteLength);
      at += part.byteLength;
    }
    buffer.fill(0);
  };

/** So many bytes of the value, then the error. */
const failingAfter = (bytes: number, error: Error) =>
  async function* ({ data }: Payload): AsyncGenerator<Uint8Array> {
    await setImmediate();
    if (bytes > 0) yield data.subarray(0, bytes);
    throw error;
  };

function aSource(
  values: Readonly<Record<string, readonly [Uint8Array, (payload: Payload) => AsyncIterable<Uint8Array>]>>,
): MemorySource {
  const source = new MemorySource(
    Object.fromEntries(Object.entries(values).map(([name, [data]]) => [name, data])),
  );
  for (const [name, [, chunks]] of Object.entries(values)) source.streamed.set(key(name), chunks);
  return source;
}

test.each([
  ['nothing', 0, [1]],
  ['a byte', 1, [MiB]],
  ['parts larger than a message', 5 * MiB + 7, [MiB]],
  ['parts that wait for company', 100_000, [3, 16_384, 1, 700]],
  ['a last part that waits for company', MiB + 100, [MiB]],
])('%s: what is streamed arrives as it was, and is released', async (_what, sizeBytes, sizes) => {
  const data = patterned(sizeBytes);
  const source = aSource({ x: [data, inParts(...sizes)] });
  source.held.set(key('next'), { encoding: 'json', data: patterned(30_000, 2) });
  const server = await serve(source, { chunkBytes: 40_000 });

  const outcome = await connect().gather(server.address, wanted('x', 'next'));

  const [streamed, next] = expectType(outcome, 'gather-success').values;
  expect(Buffer.compare(streamed!.payload.data, data)).toBe(0);
  expect(Buffer.compare(next!.payload.data, patterned(30_000, 2))).toBe(0);
  expect(source.released).toEqual(['x']);
});

test('one that is lost before a byte of it was sent is missing, and the others arrive', async () => {
  const lost = failingAfter(0, new LostDataError('The disk has lost it.'));
  const source = aSource({ x: [patterned(MiB), lost], y: [patterned(10), inParts(5)] });
  const server = await serve(source);

  const outcome = await connect().gather(server.address, wanted('x', 'y'));

  const { values, missing } = expectType(outcome, 'gather-success');
  expect([values.map((value) => value.key), missing]).toEqual([['y'], ['x']]);
  expect(source.released).toEqual(['x', 'y']);
});

test.each([
  ['is lost', failingAfter(MiB, new LostDataError('It is damaged.')), /It is damaged/],
  ['cannot be read', failingAfter(MiB, new InvalidArgumentError('out of handles')), /out of handles/],
  ['ends early', failingAfter(MiB, new Error('unexpected end')), /unexpected end/],
  [
    'has fewer bytes than announced',
    ({ data }: Payload) => inParts(MiB)({ encoding: 'v8', data: data.subarray(1) }),
    /other than its/,
  ],
])('one that %s in the middle never arrives; values before it are kept', async (_what, chunks, said) => {
  const source = aSource({ a: [patterned(10), inParts(4)], x: [patterned(3 * MiB), chunks] });
  const server = await serve(source);

  const outcome = await connect().gather(server.address, wanted('a', 'x'));

  const { values, message } = expectType(outcome, 'gather-network-failure');
  expect(values.map((value) => value.key)).toEqual(['a']);
  expect(message).toMatch(said);
  await until(() => server.servingCount === 0);
  expect(source.released).toEqual(['a', 'x']);
});

test('a receiver that leaves in the middle ends the reading, and what was asked for ahead is released too', async () => {
  const door = new Door();
  let hasEnded = false;
  const held = async function* ({ data }: Payload): AsyncGenerator<Uint8Array> {
    try {
      yield data.subarray(0, MiB);
      await door.opened;
      yield data.subarray(MiB);
    } finally {
      hasEnded = true;
    }
  };
  const source = aSource({
    a: [patterned(10), inParts(10)],
    b: [patterned(10), inParts(10)],
    x: [patterned(2 * MiB), held],
    y: [patterned(2 * MiB), inParts(MiB)],
  });
  const server = await serve(source);
  const abort = new AbortController();
  const client = connect();
  const gathering = client.gather(server.address, wanted('a', 'b', 'x', 'y'), { signal: abort.signal });
  await until(() => source.asked.length === 4);

  abort.abort(new Error('no longer needed'));
  expectType(await gathering, 'gather-network-failure');
  // A round trip on the same connection: after it the peer has seen the cancellation.
  expectType(await client.gather(server.address, wanted('elsewhere')), 'gather-success');
  door.open();
  await until(() => server.servingCount === 0);

  expect(hasEnded).toBe(true);
  await until(() => source.released.length === 4);
  expect(source.released.toSorted()).toEqual(['a', 'b', 'x', 'y']);
});

test('a value that is answered only after the receiver has left is released', async () => {
  const door = new Door();
  const names = Array.from({ length: 4 }, (_, index) => key(`k${index}`));
  const source = aSource(Object.fromEntries(names.map((name) => [name, [patterned(10), inParts(10)]])));
  source.onServe = (asked) => (asked === 'k2' ? door.opened : undefined);
  const loads = new LoadAhead(source, names);
  await loads.next();
  await loads.next();
  expect(source.asked).toEqual(['k0', 'k1', 'k2']);

  loads[Symbol.dispose]();
  await setImmediate();
  expect(source.released).toEqual([]);
  door.open();
  await setImmediate();

  expect(source.released).toEqual(['k2']);
});

test('large streamed values are asked for one at a time', async () => {
  const names = Array.from({ length: 5 }, (_, index) => key(`k${index}`));
  const source = aSource(Object.fromEntries(names.map((name) => [name, [patterned(MiB), inParts(MiB)]])));
  const loads = new LoadAhead(source, names);

  for (let taken = 1; taken <= 5; taken += 1) {
    await loads.next();
    expect(source.asked).toHaveLength(taken);
  }
});

test('no more of a value is read than the receiver has room for', async () => {
  let readBytes = 0;
  const counted = async function* (payload: Payload): AsyncGenerator<Uint8Array> {
    for await (const part of inParts(MiB)(payload)) {
      readBytes += part.byteLength;
      yield part;
    }
  };
  const source = aSource({ x: [patterned(64 * MiB), counted] });
  const server = await serve(source, { idleMs: 300, closeGraceMs: 0 });
  const call = readerThatStops(server.address, ['x'], open);
  await until(() => readBytes > 0);
  await until(() => server.servingCount === 0);

  // The window, what the system's sockets hold, and one message.
  expect(readBytes).toBeLessThan(24 * MiB);
  expect(source.released).toEqual(['x']);
  call.cancel();
});
