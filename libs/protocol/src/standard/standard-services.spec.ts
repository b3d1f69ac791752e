/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
import { Client, credentials, status, type ServiceError } from '@grpc/grpc-js';
import { grpc } from '@spillway/proto';
import { TestScheduler } from '../server/fixtures.spec-d.js';
import type { SchedulerServer } from '../server/scheduler-server.js';
import { method } from '../service.js';

const { Health, HealthCheckRequest, HealthCheckResponse } = grpc.health.v1;
const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse.ServingStatus;
const { ServerReflection, ServerReflectionRequest, ServerReflectionResponse } = grpc.reflection.v1;
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(reflection = true): Promise<{ server: SchedulerServer; client: Client }> {
  const server = await new TestScheduler().serve({ reflection });
  closing.push(() => server.close());
  const client = new Client(server.address, credentials.createInsecure());
  closing.push(() => client.close());
  return { server, client };
}

function check(client: Client, service: string): Promise<number> {
  const { path, requestSerialize, responseDeserialize } = method(
    Health.prototype.check,
    HealthCheckRequest,
    HealthCheckResponse,
  );
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service }, (error, answer) => {
      if (error !== null) reject(error);
      else resolve(answer?.status ?? 0);
    });
  });
}

function watch(client: Client, service: string): { readonly next: () => Promise<number> } {
  const { path, requestSerialize, responseDeserialize } = method(
    Health.prototype.watch,
    HealthCheckRequest,
    HealthCheckResponse,
  );
  const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service });
  call.on('error', () => undefined);
  closing.push(() => call.cancel());
  const answers = call[Symbol.asyncIterator]() as AsyncIterator<grpc.health.v1.HealthCheckResponse>;
  return {
    next: async () => {
      const answer = await answers.next();
      if (answer.done === true) throw new Error('the stream has ended');
      return answer.value.status;
    },
  };
}

function reflect(
  client: Client,
  question: Partial<grpc.reflection.v1.ServerReflectionRequest>,
): Promise<grpc.reflection.v1.ServerReflectionResponse> {
  const { path, requestSerialize, responseDeserialize } = method(
    ServerReflection.prototype.serverReflectionInfo,
    ServerReflectionRequest,
    ServerReflectionResponse,
  );
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  return new Promise((resolve, reject) => {
    call.on('error', reject);
    call.on('data', (answer: grpc.reflection.v1.ServerReflectionResponse) => {
      resolve(answer);
      call.end();
    });
    call.write({ host: '', ...question });
  });
}

describe('health', () => {
  test('answers for the program and for each service it has', async () => {
    const { client } = await serve();

    expect(await check(client, '')).toBe(SERVING);
    expect(await check(client, 'spillway.v1.SchedulerService')).toBe(SERVING);
    expect(await check(client, 'spillway.v1.RelayService')).toBe(SERVING);
    await expect(check(client, 'spillway.v1.Nothing')).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  test('tells watchers when the server stops serving, before it is closed', async () => {
    const { server, client } = await serve();
    const program = watch(client, '');
    const unknown = watch(client, 'spillway.v1.Nothing');
    expect(await program.next()).toBe(SERVING);
    expect(await unknown.next()).toBe(SERVICE_UNKNOWN);

    server.setServing(false);

    expect(await program.next()).toBe(NOT_SERVING);
    expect(await check(client, 'spillway.v1.SchedulerService')).toBe(NOT_SERVING);
    server.setServing(true);
    expect(await program.next()).toBe(SERVING);
  });

  test('does not keep a server from closing', async () => {
    const server = await new TestScheduler().serve();
    const client = new Client(server.address, credentials.createInsecure());
    closing.push(() => client.close());
    const program = watch(client, '');
    await program.next();

    await server.close();

    expect(await program.next()).toBe(NOT_SERVING);
    await expect(program.next()).rejects.toThrow();
  });
});

describe('reflection', () => {
  test('lists the services', async () => {
    const { client } = await serve();

    const { listServicesResponse } = await reflect(client, { listServices: '*' });

    expect(listServicesResponse?.service.map(({ name }) => name)).toEqual([
      'spillway.v1.SchedulerService',
      'spillway.v1.RelayService',
    ]);
  });

  test.each([
    'spillway.v1.SchedulerService',
    'spillway.v1.SchedulerService.SubmitGraph',
    'spillway.v1.TaskSpec',
  ])('gives the file of %s with all it needs', async (fileContainingSymbol) => {
    const { client } = await serve();

    const { fileDescriptorResponse } = await reflect(client, { fileContainingSymbol });
    const files = fileDescriptorResponse?.fileDescriptorProto.map((bytes) =>
      Buffer.from(bytes).toString('latin1'),
    );

    expect(files).toHaveLength(2);
    expect(files?.[0]).toContain('SubmitGraphRequest');
    expect(files?.[1]).toContain('google.protobuf');
  });

  test('says NOT_FOUND for what it does not know', async () => {
    const { client } = await serve();

    for (const question of [{ fileContainingSymbol: 'a.B' }, { fileByFilename: 'a.proto' }]) {
      const { errorResponse } = await reflect(client, question);
      expect(errorResponse?.errorCode).toBe(status.NOT_FOUND);
    }
  });

  test('is not there when it is off', async () => {
    const { client } = await serve(false);

    const error = await reflect(client, { listServices: '*' }).catch(
      (cause: unknown) => cause as ServiceError,
    );

    expect(error).toMatchObject({ code: status.UNIMPLEMENTED });
  });
});
