/**
 * A client as somebody would write it in another language: nothing of Spillway but its `.proto` files. Says what it is
 * told to say, right or wrong; what it hears is what is on the wire. Every call has a deadline.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import {
  Client,
  credentials,
  Metadata,
  status,
  type ClientDuplexStream,
  type ClientReadableStream,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync, type MessageTypeDefinition, type ServiceDefinition } from '@grpc/proto-loader';

/** A message by the names of its `.proto` file; 64-bit numbers and enums are text. Bytes are sent as they are. */
export type Wire = Record<string, unknown>;
type Request = Wire | Buffer;

const PROTO_FOLDER = dirname(createRequire(import.meta.url).resolve('@spillway/proto/package.json'));
const DEFINITIONS = loadSync(
  [
    'spillway/v1/scheduler.proto',
    'spillway/v1/data.proto',
    'google/rpc/status.proto',
    'grpc/health/v1/health.proto',
    'grpc/reflection/v1/reflection.proto',
  ],
  { includeDirs: [PROTO_FOLDER], keepCase: true, longs: String, enums: String, oneofs: true, defaults: true },
);

export const SCHEDULER = 'spillway.v1.SchedulerService';
export const RELAY = 'spillway.v1.RelayService';
export const DATA = 'spillway.v1.DataService';
export const HEALTH = 'grpc.health.v1.Health';

/** All calls of a service. */
export const methodsOf = (
  service: string,
): readonly { readonly name: string; readonly isControl: boolean }[] =>
  Object.entries(DEFINITIONS[service] as ServiceDefinition).map(
    ([name, { requestStream, responseStream }]) => ({
      name,
      isControl: requestStream && responseStream,
    }),
  );

/** How a call ended that did not end well. */
export class ForeignError extends Error {
  readonly code: string;
  /** `google.rpc.ErrorInfo`, from the status details; empty where there are none. */
  readonly reason: string = '';
  readonly domain: string = '';
  /** Field violations of `google.rpc.BadRequest`. */
  readonly fields: readonly string[] = [];

  constructor(error: Pick<ServiceError, 'code' | 'details' | 'metadata'>) {
    super(`${status[error.code]}: ${error.details}`);
    this.code = status[error.code];
    const packed = error.metadata.get('grpc-status-details-bin')[0];
    if (!(packed instanceof Uint8Array)) return;
    for (const { type_url: type, value } of unpack('google.rpc.Status', packed)[
      'details'
    ] as PackedDetail[]) {
      const name = type.slice(type.lastIndexOf('/') + 1);
      const detail = unpack(name, value);
      if (name === 'google.rpc.ErrorInfo') {
        this.reason = detail['reason'] as string;
        this.domain = detail['domain'] as string;
      }
      if (name === 'google.rpc.BadRequest')
        this.fields = (detail['field_violations'] as { field: string }[]).map(({ field }) => field);
    }
  }
}

interface PackedDetail {
  readonly type_url: string;
  readonly value: Buffer;
}
const unpack = (type: string, bytes: Uint8Array): Wire =>
  (DEFINITIONS[type] as MessageTypeDefinition<object, object>).deserialize(Buffer.from(bytes)) as Wire;

const DEADLINE_MS = 15_000;
const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

export class ForeignClient implements Disposable {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
      'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  /** One request, one answer. Rejects with `ForeignError`. */
  call(service: string, name: string, request: Request, deadlineMs = DEADLINE_MS): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = definitionOf(service, name);
      const options = { deadline: Date.now() + deadlineMs };
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        options,
        settle(resolve, reject),
      );
    });
  }

  /** Many requests, one answer. */
  send(service: string, name: string, requests: readonly Request[]): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = definitionOf(service, name);
      const options = { deadline: Date.now() + DEADLINE_MS };
      const call = this.#client.makeClientStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        options,
        settle(resolve, reject),
      );
      for (const request of requests) call.write(request);
      call.end();
    });
  }

  /** One request, many answers. */
  listen(service: string, name: string, request: Request, deadlineMs = DEADLINE_MS): ForeignStream {
    const { path, requestSerialize, responseDeserialize } = definitionOf(service, name);
    const options = { deadline: Date.now() + deadlineMs };
    return new ForeignStream(
      this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, options),
    );
  }

  /** Both ways, for as long as it takes. */
  converse(service: string, name: string, ...first: readonly Request[]): ForeignConversation {
    const { path, requestSerialize, responseDeserialize } = definitionOf(service, name);
    const options = { deadline: Date.now() + DEADLINE_MS };
    const call = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      new Metadata(),
      options,
    );
    const conversation = new ForeignConversation(call);
    for (const request of first) conversation.say(request);
    return conversation;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** What comes from the other side. */
export class ForeignStream {
  /** Resolves with how it ended; `undefined`: well. */
  readonly ended: Promise<ForeignError | undefined>;
  readonly #messages: AsyncIterator<unknown>;

  constructor(protected readonly call: ClientReadableStream<Wire> | ClientDuplexStream<Request, Wire>) {
    this.ended = new Promise((resolve) => {
      call.once('status', (end: Pick<ServiceError, 'code' | 'details' | 'metadata'>) =>
        resolve(end.code === status.OK ? undefined : new ForeignError(end)),
      );
    });
    // `ended` says it; without a listener it would end this process.
    call.on('error', () => undefined);
    this.#messages = call[Symbol.asyncIterator]();
  }

  /** The next message; rejects when none comes any more. */
  async next(): Promise<Wire> {
    const next = await this.#messages.next();
    if (next.done === true) throw new Error('The stream has ended.');
    return next.value as Wire;
  }

  async all(): Promise<Wire[]> {
    const messages: Wire[] = [];
    for (let next = await this.#messages.next(); next.done !== true; next = await this.#messages.next())
      messages.push(next.value as Wire);
    return messages;
  }

  /** Reads on until the end. Order matters: a stream that nobody reads does not end. */
  async end(): Promise<ForeignError | undefined> {
    await this.all().catch(() => undefined);
    return this.ended;
  }

  hangUp(): void {
    this.call.cancel();
  }
}

export class ForeignConversation extends ForeignStream {
  say(request: Request): void {
    (this.call as ClientDuplexStream<Request, Wire>).write(request);
  }
}

function definitionOf(service: string, name: string): MethodDefinition<Request, Wire> {
  const definition = (DEFINITIONS[service] as ServiceDefinition)[name] as unknown as MethodDefinition<
    Request,
    Wire
  >;
  const { requestSerialize } = definition;
  return {
    ...definition,
    requestSerialize: (request) => (Buffer.isBuffer(request) ? request : requestSerialize(request)),
  };
}

const settle =
  (resolve: (answer: Wire) => void, reject: (error: ForeignError) => void) =>
  (error: ServiceError | null, answer?: Wire): void => {
    if (error !== null) reject(new ForeignError(error));
    else resolve(answer ?? {});
  };

export const rejection = (call: Promise<unknown>): Promise<ForeignError> =>
  call.then(
    () => {
      throw new Error('The call was to fail, and did not.');
    },
    (error: unknown) => error as ForeignError,
  );
