/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { InvalidArgumentError } from '@spillway/kernel';
import { spillway } from '@spillway/proto';
import { rawMethod } from '../service.js';
import { fromServiceError } from '../status.js';
import { TestScheduler } from './fixtures.spec-d.js';
import type { SchedulerHandlers } from './scheduler-handlers.js';
import type { SchedulerServer } from './scheduler-server.js';

const wire = spillway.v1;
const methods = wire.SchedulerService.prototype;
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(handlers: Partial<SchedulerHandlers> = {}): Promise<SchedulerServer> {
  const server = await new TestScheduler(handlers).serve();
  closing.push(() => server.close());
  return server;
}

function clientTo(server: SchedulerServer): Client {
  const client = new Client(server.address, credentials.createInsecure());
  closing.push(() => client.close());
  return client;
}

/** A unary call with any bytes as its request; gives how it failed. */
function callWithBytes(client: Client, path: string, bytes: Buffer): Promise<ServiceError | null> {
  const as = (value: Buffer): Buffer => value;
  return new Promise((resolve) => {
    const deadline = Date.now() + 10_000;
    client.makeUnaryRequest(path, as, as, bytes, new Metadata(), { deadline }, (error) => resolve(error));
  });
}

describe('hostile input', () => {
  test('bytes that are no message are INVALID_ARGUMENT, for every unary call, and the server goes on', async () => {
    const server = await serve({ listWorkers: () => [] });
    const client = clientTo(server);
    const unary = Object.values(wire.SchedulerService.prototype).filter(
      (info: { path?: string; requestStream?: true; responseStream?: true }) =>
        info.path !== undefined && info.requestStream !== true && info.responseStream !== true,
    ) as unknown as { path: string }[];

    for (const { path } of unary) {
      const error = await callWithBytes(
        client,
        path,
        Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3]),
      );
      expect({ path, code: error?.code }).toEqual({ path, code: status.INVALID_ARGUMENT });
      expect(fromServiceError(error)).toBeInstanceOf(InvalidArgumentError);
    }
    expect(unary.length).toBeGreaterThanOrEqual(10);
    expect(await callWithBytes(client, methods.listWorkers.path, Buffer.alloc(0))).toBeNull();
  });

  test.each([
    ['bytes that are no message', Buffer.from([0xff, 0xff, 0xff])],
    [
      'a batch before any opening',
      Buffer.from(wire.OpenClientRequest.encode({ seq: 1, ack: 0, messages: [] }).finish()),
    ],
    ['an empty message', Buffer.alloc(0)],
  ])('a control stream that begins with %s is refused as INVALID_ARGUMENT', async (_what, bytes) => {
    const server = await serve();
    const { path, requestSerialize, responseDeserialize } = rawMethod(methods.openClient);
    const call = clientTo(server).makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    const failed = new Promise<ServiceError>((resolve) =>
      call.on('error', (error) => resolve(error as ServiceError)),
    );

    call.write(bytes);

    expect((await failed).code).toBe(status.INVALID_ARGUMENT);
    expect(server.sessionCounts.clients).toBe(0);
  });

  test('a message over the limit is RESOURCE_EXHAUSTED and harms nobody', async () => {
    const server = await serve({ describeKeys: () => [], listWorkers: () => [] });
    const client = clientTo(server);

    const error = await callWithBytes(client, methods.describeKeys.path, Buffer.alloc(17 * 1024 * 1024));

    expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(await callWithBytes(client, methods.listWorkers.path, Buffer.alloc(0))).toBeNull();
  });

  test('noise on the socket harms nobody', async () => {
    const server = await serve({ listWorkers: () => [] });
    const port = Number(server.address.split(':')[1]);
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.end(randomBytes(5000)));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve());
      socket.resume();
    });

    expect(await callWithBytes(clientTo(server), methods.listWorkers.path, Buffer.alloc(0))).toBeNull();
  });

  test('an unknown call is UNIMPLEMENTED', async () => {
    const error = await callWithBytes(
      clientTo(await serve()),
      '/spillway.v1.SchedulerService/Fly',
      Buffer.alloc(0),
    );

    expect(error?.code).toBe(status.UNIMPLEMENTED);
  });
});
