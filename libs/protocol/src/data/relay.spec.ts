import { Client, credentials, Server, status } from '@grpc/grpc-js';
import { InvalidArgumentError, UnknownWorkerError } from '@spillway/kernel';
import {
  bytesPayload,
  dataRig,
  Door,
  expectType,
  key,
  listen,
  MemorySource,
  MiB,
  patterned,
  until,
} from './fixtures.spec-d.js';
import { DataRelay, type DataRelayOptions } from './relay.js';
import { RelayClient } from './relay-client.js';
import { encodePutStart, encodeRelayFetchRequest, RELAYED_DATA_SERVICE } from './wire.js';

const { open, serve } = dataRig();

/** A scheduler, as far as relaying goes. */
async function relayTo(
  workers: Readonly<Record<string, string>>,
  options: Partial<DataRelayOptions> = {},
): Promise<{ relay: DataRelay; address: string }> {
  const relay = new DataRelay({ addressOf: (workerId) => workers[workerId], ...options });
  const server = new Server();
  server.addService(relay.definition, relay.implementation);
  const address = await listen(server);
  open.push({
    close: () => {
      relay.close();
      server.forceShutdown();
    },
  });
  return { relay, address };
}

function connect(address: string): RelayClient {
  const client = new RelayClient({ address });
  open.push(client);
  return client;
}

const wanted = (...names: string[]) => names.map((name) => ({ key: key(name) }));
const valueOf = (data: Uint8Array) => ({ key: key('x'), payload: bytesPayload(data) });

describe('fetching through the relay', () => {
  test('values arrive as they were stored, and missing keys are named', async () => {
    const data = patterned(20 * MiB + 7);
    const worker = await serve(new MemorySource({ small: patterned(3), large: data }));
    const { relay, address } = await relayTo({ w1: worker.address });

    const outcome = await connect(address).gather('w1', wanted('small', 'nowhere', 'large'));

    const { values, missing } = expectType(outcome, 'gather-success');
    expect(missing).toEqual(['nowhere']);
    expect(Buffer.compare(values[0]!.payload.data, patterned(3))).toBe(0);
    expect(Buffer.compare(values[1]!.payload.data, data)).toBe(0);
    await until(() => relay.relayingCount === 0);
  });

  test('a worker nobody knows is a failure', async () => {
    const { address } = await relayTo({});

    const outcome = await connect(address).gather('w1', wanted('x'));

    expect(expectType(outcome, 'gather-network-failure').message).toMatch(/no worker with the id "w1"/);
  });

  test('a worker the relay cannot reach either is a failure within its connect deadline', async () => {
    const gone = await serve(new MemorySource());
    await gone.close();
    const { address } = await relayTo({ w1: gone.address });

    expectType(await connect(address).gather('w1', wanted('x')), 'gather-network-failure');
  });

  test('a busy worker is busy', async () => {
    const worker = await serve(new MemorySource(), { servingMax: () => 0 });
    const { address } = await relayTo({ w1: worker.address });

    expect(await connect(address).gather('w1', wanted('x'))).toEqual({ type: 'gather-busy' });
  });

  test('a relay with enough transfers is busy', async () => {
    const worker = await serve(new MemorySource({ x: patterned(1) }));
    const { address } = await relayTo({ w1: worker.address }, { relayingMax: 0 });

    expect(await connect(address).gather('w1', wanted('x'))).toEqual({ type: 'gather-busy' });
  });

  test('a client that cancels is cancelled at the worker too', async () => {
    const source = new MemorySource({ a: patterned(20_000), b: patterned(20_000), c: patterned(10) });
    const door = new Door();
    source.onServe = (loading) => (loading === 'b' ? door.opened : undefined);
    const worker = await serve(source);
    const { relay, address } = await relayTo({ w1: worker.address });
    const abort = new AbortController();
    const gathering = connect(address).gather('w1', wanted('a', 'b', 'c'), { signal: abort.signal });
    await until(() => source.asked.length === 2);

    abort.abort(new Error('no longer needed'));

    expectType(await gathering, 'gather-network-failure');
    await until(() => relay.relayingCount === 0);
    // A round trip over the relay's own connection: after it the worker has seen the cancellation.
    expectType(await connect(address).gather('w1', wanted('elsewhere')), 'gather-success');
    door.open();
    await until(() => worker.servingCount === 0);
    expect(source.asked).not.toContain('c');
  });

  test('a client that does not read stops the worker from sending', async () => {
    const names = Array.from({ length: 96 }, (_, index) => `v${index}`);
    const data = patterned(MiB);
    const source = new MemorySource(Object.fromEntries(names.map((name) => [name, data])));
    const worker = await serve(source, { idleMs: 300 });
    const { address } = await relayTo({ w1: worker.address });
    const client = new Client(address, credentials.createInsecure());
    open.push(client);
    const { path, requestSerialize, responseDeserialize } = RELAYED_DATA_SERVICE.fetchValues;

    const call = client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      encodeRelayFetchRequest('w1', names),
    );
    call.on('error', () => undefined).once('data', () => call.pause());
    await until(() => source.asked.length > 0);
    await until(() => worker.servingCount === 0);

    expect(source.asked.length).toBeLessThan(40);
    call.cancel();
  });
});

describe('putting through the relay', () => {
  test('a value is stored as it was sent', async () => {
    const source = new MemorySource();
    const worker = await serve(source);
    const { address } = await relayTo({ w1: worker.address });
    const data = patterned(7 * MiB + 1);

    await connect(address).put('w1', valueOf(data));

    expect(Buffer.compare(source.held.get(key('x'))!.data, data)).toBe(0);
  });

  test('a worker nobody knows is refused', async () => {
    const { address } = await relayTo({});

    await expect(connect(address).put('w1', valueOf(patterned(MiB)))).rejects.toThrow(UnknownWorkerError);
  });

  test('what the worker refuses is refused, for its reason', async () => {
    const source = new MemorySource();
    source.onAccept = () => {
      throw new InvalidArgumentError('not wanted here');
    };
    const worker = await serve(source);
    const { address } = await relayTo({ w1: worker.address });

    await expect(connect(address).put('w1', valueOf(patterned(10)))).rejects.toThrow('not wanted here');
  });

  test('waits while the worker is busy, then stores', async () => {
    const source = new MemorySource();
    let askedCount = 0;
    const worker = await serve(source, { servingMax: () => (++askedCount > 2 ? 1 : 0) });
    const { address } = await relayTo({ w1: worker.address });

    await connect(address).put('w1', valueOf(patterned(10)));

    expect(source.held.has(key('x'))).toBe(true);
    expect(askedCount).toBe(3);
  });

  test('a worker that dies while the client is slow ends the upload, not only the next message', async () => {
    const worker = await serve(new MemorySource());
    const { relay, address } = await relayTo({ w1: worker.address });
    const client = new Client(address, credentials.createInsecure());
    open.push(client);
    const { path, requestSerialize, responseDeserialize } = RELAYED_DATA_SERVICE.putValue;
    const ended = new Promise((resolve) => {
      const call = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, resolve);
      call.on('error', () => undefined);
      call.write(encodePutStart({ key: 'x', encoding: 'bytes', sizeBytes: 10 }, 'w1'));
    });
    await until(() => worker.servingCount === 1);

    await worker.close(0);

    expect(await ended).toMatchObject({ code: status.UNAVAILABLE });
    await until(() => relay.relayingCount === 0);
  });

  test('a client that cancels leaves nothing behind', async () => {
    const source = new MemorySource();
    const accepting = new Door();
    source.onAccept = () => {
      accepting.open();
      return new Promise(() => undefined);
    };
    const worker = await serve(source);
    const { relay, address } = await relayTo({ w1: worker.address });
    const abort = new AbortController();
    const putting = connect(address).put('w1', valueOf(patterned(10)), { signal: abort.signal });
    await accepting.opened;

    abort.abort(new Error('changed my mind'));

    await expect(putting).rejects.toThrow('changed my mind');
    await until(() => relay.relayingCount === 0);
    expect(source.held.size).toBe(0);
  });
});
