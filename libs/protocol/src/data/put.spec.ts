import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { DeadlineExceededError, InvalidArgumentError, LimitExceededError } from '@spillway/kernel';
import { method } from '../service.js';
import { fromServiceError } from '../status.js';
import { grpc, spillway } from '@spillway/proto';
import type { DataServer } from './data-server.js';
import { bytesPayload, dataRig, Door, key, MemorySource, MiB, patterned, until } from './fixtures.spec-d.js';
import { DATA_SERVICE, type PutValueRequest, type PutValueResponse } from './wire.js';

const { open, connect, serve } = dataRig();

const valueOf = (data: Uint8Array) => ({ key: key('x'), payload: bytesPayload(data) });

/** Uploads whatever it is given, as a client that does not keep to the protocol. */
function upload(
  address: string,
  messages: readonly PutValueRequest[],
  { end = true } = {},
): Promise<PutValueResponse> {
  const client = new Client(address, credentials.createInsecure());
  open.push(client);
  const { path, responseDeserialize } = DATA_SERVICE.putValue;
  const { PutValueRequest } = spillway.v1;
  const requestSerialize = (message: PutValueRequest): Buffer =>
    Buffer.from(PutValueRequest.encode(PutValueRequest.create(message)).finish());
  return new Promise((resolve, reject) => {
    const call = client.makeClientStreamRequest<PutValueRequest, PutValueResponse>(
      path,
      requestSerialize,
      responseDeserialize,
      new Metadata(),
      (error, response) => {
        if (response === undefined) reject(fromServiceError(error));
        else resolve(response);
      },
    );
    call.on('error', () => undefined);
    for (const message of messages) call.write(message);
    if (end) call.end();
  });
}

const start = (sizeBytes: number, more: object = {}): PutValueRequest => ({
  step: 'start',
  start: { key: 'x', encoding: 'bytes', sizeBytes, ...more },
});
const chunk = (sizeBytes: number): PutValueRequest => ({ step: 'chunk', chunk: patterned(sizeBytes) });

describe('putting a value', () => {
  test.each([0, 1, 4097, 10 * MiB + 3])('%i bytes are stored as they were sent', async (sizeBytes) => {
    const source = new MemorySource();
    const server = await serve(source);
    const data = patterned(sizeBytes);

    await connect().put(server.address, valueOf(data));

    const stored = source.held.get(key('x'));
    expect(stored?.encoding).toBe('bytes');
    expect(Buffer.compare(stored!.data, data)).toBe(0);
    expect(stored?.data.buffer.byteLength).toBe(sizeBytes);
  });

  test('is answered with its size although the store moves the bytes to another thread', async () => {
    const source = new MemorySource();
    source.onAccept = ({ payload }) => {
      structuredClone(payload.data, { transfer: [payload.data.buffer as ArrayBuffer] });
    };
    const server = await serve(source);
    await expect(connect().put(server.address, valueOf(patterned(100)))).resolves.toBeUndefined();
  });

  test('waits while the worker serves enough others, then stores', async () => {
    const door = new Door();
    const source = new MemorySource({ other: patterned(1) });
    source.onServe = () => door.opened;
    const server = await serve(source, { servingMax: () => 1 });
    const fetching = connect().gather(server.address, [{ key: key('other') }]);
    await until(() => server.servingCount === 1);

    const putting = connect().put(server.address, valueOf(patterned(10)));
    door.open();
    await putting;

    expect((await fetching).type).toBe('gather-success');
    expect(source.held.has(key('x'))).toBe(true);
  });

  test('gives up when the worker stays busy beyond the deadline', async () => {
    const server = await serve(new MemorySource(), { servingMax: () => 0 });

    const putting = connect().put(server.address, valueOf(patterned(10)), { deadlineMs: 100 });

    await expect(putting).rejects.toThrow(LimitExceededError);
  });

  test('ends with the deadline when the store never answers', async () => {
    const source = new MemorySource();
    source.onAccept = () => new Promise(() => undefined);
    const server = await serve(source);

    const putting = connect().put(server.address, valueOf(patterned(10)), { deadlineMs: 100 });

    await expect(putting).rejects.toThrow(DeadlineExceededError);
  });

  test('ends with the reason of the signal that aborts it', async () => {
    const source = new MemorySource();
    const accepting = new Door();
    source.onAccept = () => {
      accepting.open();
      return new Promise(() => undefined);
    };
    const server = await serve(source);
    const abort = new AbortController();
    const putting = connect().put(server.address, valueOf(patterned(10)), { signal: abort.signal });
    await accepting.opened;

    abort.abort(new Error('changed my mind'));

    await expect(putting).rejects.toThrow('changed my mind');
  });

  test('is refused before it is sent when it is larger than allowed', async () => {
    const source = new MemorySource();
    const server = await serve(source, { putBytesMax: 5 * MiB });

    await expect(connect().put(server.address, valueOf(patterned(5 * MiB + 1)))).rejects.toThrow(
      LimitExceededError,
    );

    expect(source.held.size).toBe(0);
  });

  test('passes on why the store refuses', async () => {
    const source = new MemorySource();
    source.onAccept = () => {
      throw new InvalidArgumentError('not wanted here');
    };
    const server = await serve(source);

    await expect(connect().put(server.address, valueOf(patterned(1)))).rejects.toThrow('not wanted here');
  });
});

describe('health', () => {
  /** What the health service says of a name. */
  function healthOf(server: DataServer, service: string): Promise<string | number> {
    const client = new Client(server.address, credentials.createInsecure());
    open.push(client);
    const { Health, HealthCheckRequest, HealthCheckResponse } = grpc.health.v1;
    const { path, requestSerialize, responseDeserialize } = method(
      Health.prototype.check,
      HealthCheckRequest,
      HealthCheckResponse,
    );
    return new Promise((resolve) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service }, (error, answer) =>
        resolve(answer === undefined ? (error?.code ?? 'no answer') : answer.status),
      );
    });
  }
  const { SERVING, NOT_SERVING } = grpc.health.v1.HealthCheckResponse.ServingStatus;

  test('a worker that takes no tasks still serves its data', async () => {
    const server = await serve(new MemorySource());
    server.setAcceptingTasks(false);

    expect(await healthOf(server, '')).toBe(SERVING);
    expect(await healthOf(server, 'spillway.v1.DataService')).toBe(SERVING);
    expect(await healthOf(server, 'spillway.v1.Tasks')).toBe(NOT_SERVING);
    expect(await healthOf(server, 'nothing')).toBe(status.NOT_FOUND);
  });

  test('a worker that accepts no transfers says so', async () => {
    const server = await serve(new MemorySource());
    server.setAccepting(false);

    expect(await healthOf(server, 'spillway.v1.DataService')).toBe(NOT_SERVING);
  });
});

describe('uploads that do not keep to the protocol store nothing', () => {
  test.each<[string, PutValueRequest[]]>([
    ['fewer bytes than announced', [start(10), chunk(5)]],
    ['more bytes than announced', [start(10), chunk(5), chunk(6)]],
    ['bytes after a value of none', [start(0), chunk(1)]],
    ['no start', [chunk(5)]],
    ['nothing at all', []],
    ['two starts', [start(10), chunk(5), start(10), chunk(5)]],
    ['an empty chunk', [start(1), chunk(0), chunk(1)]],
    ['an empty key', [start(1, { key: '' }), chunk(1)]],
    ['a key that is too long', [start(1, { key: 'k'.repeat(1025) }), chunk(1)]],
    ['an unknown encoding', [start(1, { encoding: 'pickle' }), chunk(1)]],
    ['a size beyond 2^53', [start(2 ** 60), chunk(1)]],
  ])('%s', async (_what, messages) => {
    const source = new MemorySource();
    const server = await serve(source);

    await expect(upload(server.address, messages)).rejects.toThrow(InvalidArgumentError);

    expect(source.held.size).toBe(0);
    await until(() => server.servingCount === 0);
  });

  test('a sender that goes silent is given up', async () => {
    const source = new MemorySource();
    const server = await serve(source, { idleMs: 100 });

    await expect(upload(server.address, [start(10), chunk(5)], { end: false })).rejects.toThrow(
      DeadlineExceededError,
    );

    expect(server.servingCount).toBe(0);
  });

  test('bytes that are no message are refused, and the server goes on', async () => {
    const server = await serve(new MemorySource({ x: patterned(1) }));
    const client = new Client(server.address, credentials.createInsecure());
    open.push(client);
    const garbage = Buffer.from('ffffffffffff', 'hex');

    const code = await new Promise((resolve) => {
      const call = client.makeServerStreamRequest(
        DATA_SERVICE.fetchValues.path,
        (bytes: Buffer) => bytes,
        DATA_SERVICE.fetchValues.responseDeserialize,
        garbage,
      );
      call.on('error', (error: { code?: number }) => resolve(error.code)).resume();
    });

    expect(code).toBe(status.INVALID_ARGUMENT);
    expect((await connect().gather(server.address, [{ key: key('x') }])).type).toBe('gather-success');
  });
});
