import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { DATA_CHUNK_BYTES, SMALL_VALUE_BYTES } from '@spillway/messages';
import { dataRig, Door, expectType, key, MemorySource, MiB, patterned, until } from './fixtures.spec-d.js';

const { open, connect, serve } = dataRig();

const wanted = (...names: string[]) => names.map((name) => ({ key: key(name) }));

describe('fetching', () => {
  test.each([0, 1, 4096, 4097, DATA_CHUNK_BYTES, DATA_CHUNK_BYTES + 1, 30 * MiB])(
    'a value of %i bytes arrives as it was stored',
    async (sizeBytes) => {
      const data = patterned(sizeBytes);
      const server = await serve(new MemorySource({ x: data }));

      const outcome = await connect().gather(server.address, [{ key: key('x'), nbytes: sizeBytes }]);

      const { values, missing } = expectType(outcome, 'gather-success');
      expect(missing).toEqual([]);
      expect(values).toHaveLength(1);
      expect(values[0]?.payload.encoding).toBe('bytes');
      expect(Buffer.compare(values[0]!.payload.data, data)).toBe(0);
    },
  );

  test('a large value is in a shared buffer of its own, a small one in an ordinary buffer of its own', async () => {
    const server = await serve(
      new MemorySource({
        small: patterned(SMALL_VALUE_BYTES),
        large: patterned(SMALL_VALUE_BYTES + 1),
      }),
    );

    const outcome = await connect().gather(server.address, wanted('small', 'large'));

    const [small, large] = expectType(outcome, 'gather-success').values;
    expect(small?.payload.data.buffer).toBeInstanceOf(ArrayBuffer);
    expect(small?.payload.data.buffer.byteLength).toBe(SMALL_VALUE_BYTES);
    expect(large?.payload.data.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(large?.payload.data.buffer.byteLength).toBe(SMALL_VALUE_BYTES + 1);
  });

  test('keys the peer does not hold are named missing, the others arrive in the order asked', async () => {
    const server = await serve(new MemorySource({ a: patterned(10), c: patterned(MiB, 3) }));

    const outcome = await connect().gather(server.address, wanted('a', 'b', 'c', 'd'));

    const { values, missing } = expectType(outcome, 'gather-success');
    expect(values.map((value) => value.key)).toEqual(['a', 'c']);
    expect(missing).toEqual(['b', 'd']);
    expect(Buffer.compare(values[1]!.payload.data, patterned(MiB, 3))).toBe(0);
  });

  test('thousands of small values arrive in one fetch', async () => {
    const names = Array.from({ length: 3000 }, (_, index) => `small-${index}`);
    const source = new MemorySource(
      Object.fromEntries(names.map((name, index) => [name, patterned(index % 50, index)])),
    );
    const server = await serve(source);

    const outcome = await connect().gather(server.address, wanted(...names));

    const { values } = expectType(outcome, 'gather-success');
    expect(values.map((value) => Buffer.from(value.payload.data).toString('hex'))).toEqual(
      names.map((name) => Buffer.from(source.held.get(key(name))!.data).toString('hex')),
    );
  });

  test('a worker that serves as much as it may is busy, and serves again afterwards', async () => {
    const door = new Door();
    const source = new MemorySource({ x: patterned(10) });
    source.onServe = () => door.opened;
    const server = await serve(source, { servingMax: () => 1 });
    const client = connect();
    const first = client.gather(server.address, wanted('x'));
    await until(() => server.servingCount === 1);

    expect(await client.gather(server.address, wanted('x'))).toEqual({ type: 'gather-busy' });

    door.open();
    expectType(await first, 'gather-success');
    expectType(await client.gather(server.address, wanted('x')), 'gather-success');
  });

  test('a worker that does not accept transfers any more is a failure, not busy', async () => {
    const server = await serve(new MemorySource({ x: patterned(10) }));
    server.setAccepting(false);

    const outcome = await connect().gather(server.address, wanted('x'));

    expect(expectType(outcome, 'gather-network-failure').message).toMatch(/closing/);
  });

  test('a value that cannot be loaded ends the fetch; values before it are kept', async () => {
    const source = new MemorySource({ a: patterned(MiB), b: patterned(10) });
    source.onServe = (loading) => {
      if (loading === 'b') throw new Error('disk on fire');
    };
    const server = await serve(source);

    const outcome = await connect().gather(server.address, wanted('a', 'b'));

    const { values } = expectType(outcome, 'gather-network-failure');
    expect(values.map((value) => value.key)).toEqual(['a']);
  });
});

describe('peers that are gone', () => {
  test('a peer killed in the middle is a network failure with only whole values', async () => {
    const door = new Door();
    const source = new MemorySource({ a: patterned(100), b: patterned(40 * MiB), c: patterned(10) });
    const server = await serve(source);
    source.onServe = (loading) => {
      if (loading === 'c') void server.close(0);
      return loading === 'c' ? door.opened : undefined;
    };

    const outcome = await connect().gather(server.address, wanted('a', 'b', 'c'));

    const { values } = expectType(outcome, 'gather-network-failure');
    for (const value of values) {
      expect(Buffer.compare(value.payload.data, source.held.get(value.key)!.data)).toBe(0);
    }
    expect(values.length).toBeLessThan(3);
    door.open();
  });

  test('a peer that refuses the connection fails at once', async () => {
    const server = await serve(new MemorySource());
    await server.close();

    const outcome = await connect({ connectTimeoutMs: 3_600_000 }).gather(server.address, wanted('x'));

    expectType(outcome, 'gather-network-failure');
  });

  test('an address that swallows everything ends within the connect deadline', async () => {
    const sockets = new Set<{ destroy(): void }>();
    const blackHole = createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1');
    open.push({
      close: () => {
        for (const socket of sockets) socket.destroy();
        blackHole.close();
      },
    });
    await until(() => blackHole.listening);
    const { port } = blackHole.address() as AddressInfo;

    const outcome = await connect({ connectTimeoutMs: 200 }).gather(`127.0.0.1:${port}`, wanted('x'));

    expect(expectType(outcome, 'gather-network-failure').message).toMatch(/No connection .* within 200 ms/);
  });

  test('a peer that goes silent in the middle is given up', async () => {
    const source = new MemorySource({ a: patterned(10), b: patterned(10) });
    const door = new Door();
    source.onServe = (loading) => (loading === 'b' ? door.opened : undefined);
    const server = await serve(source);

    const outcome = await connect().gather(server.address, wanted('a', 'b'), { idleMs: 200 });

    const { values, message } = expectType(outcome, 'gather-network-failure');
    expect(values.map((value) => value.key)).toEqual(['a']);
    expect(message).toMatch(/nothing for 200 ms/);
    door.open();
  });

  test('a peer that is there again at the same address is reached again', async () => {
    const source = new MemorySource({ x: patterned(10) });
    const first = await serve(source);
    const client = connect();
    expectType(await client.gather(first.address, wanted('x')), 'gather-success');
    await first.close();
    expectType(await client.gather(first.address, wanted('x')), 'gather-network-failure');

    await serve(source, { address: first.address });

    expectType(await client.gather(first.address, wanted('x')), 'gather-success');
  });
});

describe('breaking off', () => {
  test('an aborted fetch ends at once, and its peer loads nothing more', async () => {
    const source = new MemorySource({ a: patterned(20_000), b: patterned(20_000), c: patterned(10) });
    const door = new Door();
    source.onServe = (loading) => (loading === 'b' ? door.opened : undefined);
    const server = await serve(source);
    const abort = new AbortController();
    const client = connect();
    const gathering = client.gather(server.address, wanted('a', 'b', 'c'), { signal: abort.signal });
    await until(() => source.asked.length === 2);

    abort.abort(new Error('no longer needed'));

    expect(expectType(await gathering, 'gather-network-failure').message).toMatch(/no longer needed/);
    // A round trip on the same connection: after it the peer has seen the cancellation.
    expectType(await client.gather(server.address, wanted('elsewhere')), 'gather-success');
    door.open();
    await until(() => server.servingCount === 0);
    expect(source.asked).not.toContain('c');
  });

  test('forgetting a peer breaks off what is under way with it, and nothing else', async () => {
    const door = new Door();
    const held = new MemorySource({ x: patterned(10) });
    held.onServe = () => door.opened;
    const forgotten = await serve(held);
    const kept = await serve(held);
    const client = connect();
    const broken = client.gather(forgotten.address, wanted('x'));
    const whole = client.gather(kept.address, wanted('x'));
    await until(() => held.asked.length === 2);

    client.forget(forgotten.address);

    expect(expectType(await broken, 'gather-network-failure').message).toMatch(/broken off/);
    door.open();
    expectType(await whole, 'gather-success');
  });

  test('closing the client ends what is under way; later fetches fail', async () => {
    const source = new MemorySource({ x: patterned(10) });
    const door = new Door();
    source.onServe = () => door.opened;
    const server = await serve(source);
    const client = connect();
    const gathering = client.gather(server.address, wanted('x'));
    await until(() => source.asked.length === 1);

    client.close();

    expectType(await gathering, 'gather-network-failure');
    expectType(await client.gather(server.address, wanted('x')), 'gather-network-failure');
    door.open();
  });

  test('a channel that nobody uses is closed after a while', async () => {
    const server = await serve(new MemorySource({ x: patterned(10) }));
    const client = connect({ idleChannelMs: 20 });

    await client.gather(server.address, wanted('x'));
    expect(client.channelCount).toBe(1);

    await until(() => client.channelCount === 0);
    expectType(await client.gather(server.address, wanted('x')), 'gather-success');
  });
});
