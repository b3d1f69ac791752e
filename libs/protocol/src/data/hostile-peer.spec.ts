/** A receiver believes nothing: whatever a peer sends, the outcome is a whole value or a failure, never a wrong value. */
import { type Server, status } from '@grpc/grpc-js';
import {
  dataRig,
  expectType,
  key,
  MemorySource,
  messageOf,
  MiB,
  patterned,
  readerThatStops,
  serveFetchWith,
  until,
} from './fixtures.spec-d.js';
import type { FetchStep } from './wire.js';

const { open, connect, serve } = dataRig();

const closing = (server: Server): { close(): void } => ({ close: () => server.forceShutdown() });

const start = (name: string, sizeBytes: number, encoding = 'bytes'): FetchStep => ({
  step: 'start',
  start: { key: name, encoding, sizeBytes },
});
const chunk = (sizeBytes: number): FetchStep => ({ step: 'chunk', chunk: patterned(sizeBytes) });
const missing = (name: string): FetchStep => ({ step: 'missing', missing: { key: name } });

describe('a peer that does not keep to the protocol is a failure, and only whole values are kept', () => {
  const whole = [start('a', 5), chunk(5)];
  test.each<[string, FetchStep[], string[]]>([
    ['ends before all keys are answered', whole, ['a']],
    ['ends within a value', [...whole, start('b', 10), chunk(4)], ['a']],
    ['begins the next value within one', [start('a', 10), chunk(4), start('b', 1), chunk(1)], []],
    ['names a key missing within a value', [start('a', 10), chunk(4), missing('b')], []],
    ['sends more than it announced', [...whole, start('b', 10), chunk(11)], ['a']],
    ['sends bytes of no value', [...whole, chunk(1)], ['a']],
    ['sends an empty chunk', [...whole, start('b', 10), chunk(0)], ['a']],
    ['answers in another order', [start('b', 5), chunk(5), start('a', 5), chunk(5)], []],
    ['answers what was not asked', [...whole, missing('z')], ['a']],
    ['answers a key twice', [...whole, ...whole], ['a']],
    ['answers more keys than asked', [...whole, missing('b'), missing('b')], ['a']],
    ['sends an unknown encoding', [...whole, start('b', 1, 'pickle'), chunk(1)], ['a']],
    ['announces an absurd size', [...whole, start('b', 10 ** 12)], ['a']],
    ['announces a size beyond 2^53', [...whole, start('b', 2 ** 63)], ['a']],
    ['sends a step of a newer version', [...whole, {}], ['a']],
  ])('one that %s', async (_what, steps, kept) => {
    const { server, address } = await serveFetchWith((call) => {
      for (const step of steps) call.write(messageOf(step));
      call.end();
    });
    open.push(closing(server));

    const outcome = await connect().gather(address, [
      { key: key('a'), nbytes: 5 },
      { key: key('b'), nbytes: 10 },
    ]);

    const { values } = expectType(outcome, 'gather-network-failure');
    expect(values.map((value) => value.key)).toEqual(kept);
    for (const value of values) expect(Buffer.compare(value.payload.data, patterned(5))).toBe(0);
  });

  test('one that breaks off with an error keeps the whole values before it', async () => {
    const { server, address } = await serveFetchWith((call) => {
      call.write(messageOf(...whole, start('b', 10), chunk(5)));
      call.emit('error', { code: status.UNAVAILABLE, details: 'gone' });
    });
    open.push(closing(server));

    const outcome = await connect().gather(address, [{ key: key('a') }, { key: key('b') }]);

    const { values, message } = expectType(outcome, 'gather-network-failure');
    expect(values.map((value) => value.key)).toEqual(['a']);
    expect(message).toMatch(/gone/);
  });

  test('one whose message is too large is a failure, not busy', async () => {
    const { server, address } = await serveFetchWith((call) => {
      call.write(messageOf(start('a', 3 * MiB), chunk(3 * MiB)));
      call.end();
    });
    open.push(closing(server));

    expectType(await connect().gather(address, [{ key: key('a') }]), 'gather-network-failure');
  });

  test('a value that has grown since it was announced still arrives', async () => {
    const { server, address } = await serveFetchWith((call) => {
      call.write(messageOf(start('a', MiB), chunk(MiB)));
      call.end();
    });
    open.push(closing(server));

    const outcome = await connect().gather(address, [{ key: key('a'), nbytes: 10 }]);

    expect(expectType(outcome, 'gather-success').values[0]?.payload.data.byteLength).toBe(MiB);
  });
});

describe('a reader that does not read', () => {
  test('holds a bounded part of what it asked for, and is given up', async () => {
    const names = Array.from({ length: 64 }, (_, index) => `v${index}`);
    const data = patterned(MiB);
    const source = new MemorySource(Object.fromEntries(names.map((name) => [name, data])));
    const server = await serve(source, { servingMax: () => 1, idleMs: 300, closeGraceMs: 0 });
    const call = readerThatStops(server.address, names, open);
    await until(() => source.asked.length > 0);
    await until(() => server.servingCount === 0);

    // The window, what the system's sockets hold, and one message: far from the 64 MiB asked for.
    expect(source.asked.length).toBeLessThan(24);
    call.cancel();
  });
});
