/** Calls from the asking side: always with a deadline, abortable, and rejecting with `SpillwayError`s only. */
import { Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import { CONTROL_CHANNEL_OPTIONS } from '../channel/control-options.js';
import { channelCredentials, type ChannelSecurity } from '../channel/security.js';
import { decodeWire } from '../decoding.js';
import { rawMethod, type MethodInfo, type WireCodec } from '../service.js';
import { fromServiceError } from '../status.js';

export interface CallOptions {
  /** Aborting rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Instead of the default of the caller. */
  readonly timeoutMs?: number;
}

export interface CallerOptions {
  /** `host:port`. */
  readonly address: string;
  /** Default deadline of a call. */
  readonly timeoutMs: number;
  readonly security?: ChannelSecurity;
}

/** A call that the scheduler has not looked at (its connection was just ending) is made again by gRPC itself. */
const CHANNEL_OPTIONS = { ...CONTROL_CHANNEL_OPTIONS, 'grpc.enable_retries': 1 };

type Encoder<T> = Pick<WireCodec<T>, 'encode'>;
type Decoder<T> = Pick<WireCodec<T>, 'decode'>;

interface Settle<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export class Caller {
  readonly #client: Client;
  readonly #timeoutMs: number;

  constructor({ address, timeoutMs, security }: CallerOptions) {
    this.#client = new Client(address, channelCredentials(security), CHANNEL_OPTIONS);
    this.#timeoutMs = timeoutMs;
  }

  close(): void {
    this.#client.close();
  }

  async unary<Request, Response>(
    info: MethodInfo,
    request: { readonly codec: Encoder<Request>; readonly message: Request },
    response: Decoder<Response>,
    options: CallOptions = {},
  ): Promise<Response> {
    const { path, requestSerialize, responseDeserialize } = rawMethod(info);
    const bytes = await this.#settled<Buffer>(options, (settle) =>
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        asBuffer(request.codec.encode(request.message).finish()),
        new Metadata(),
        this.#bounds(options),
        answered(settle),
      ),
    );
    return decodeWire(response, bytes);
  }

  /** Sends parts as fast as they are taken. */
  async clientStream<Request, Response>(
    info: MethodInfo,
    request: { readonly codec: Encoder<Request>; readonly parts: Iterable<Request> },
    response: Decoder<Response>,
    options: CallOptions = {},
  ): Promise<Response> {
    const { path, requestSerialize, responseDeserialize } = rawMethod(info);
    const bytes = await this.#settled<Buffer>(options, (settle) => {
      const call = this.#client.makeClientStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        new Metadata(),
        this.#bounds(options),
        answered(settle),
      );
      const parts = request.parts[Symbol.iterator]();
      const write = (): void => {
        for (let next = parts.next(); next.done !== true; next = parts.next()) {
          if (!call.write(asBuffer(request.codec.encode(next.value).finish()))) return;
        }
        call.off('drain', write);
        call.end();
      };
      call.on('error', () => undefined);
      call.on('drain', write);
      write();
      return call;
    });
    return decodeWire(response, bytes);
  }

  /** All parts of the answer. `onPart` throws to break off. */
  async serverStream<Request, Response>(
    info: MethodInfo,
    request: { readonly codec: Encoder<Request>; readonly message: Request },
    response: Decoder<Response>,
    onPart: (part: Response) => void,
    options: CallOptions = {},
  ): Promise<void> {
    const { path, requestSerialize, responseDeserialize } = rawMethod(info);
    await this.#settled<undefined>(options, (settle) => {
      const call = this.#client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        asBuffer(request.codec.encode(request.message).finish()),
        new Metadata(),
        this.#bounds(options),
      );
      call.on('error', (error) => settle.reject(fromServiceError(error)));
      call.on('end', () => settle.resolve(undefined));
      call.on('data', (bytes: Buffer) => {
        try {
          onPart(decodeWire(response, bytes));
        } catch (error) {
          settle.reject(asError(error));
          call.cancel();
        }
      });
      return call;
    });
  }

  #bounds({ timeoutMs }: CallOptions): { readonly deadline: number } {
    return { deadline: Date.now() + (timeoutMs ?? this.#timeoutMs) };
  }

  #settled<T>({ signal }: CallOptions, start: (settle: Settle<T>) => { cancel(): void }): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const abort = (): void => {
        reject(signal?.reason as Error);
        call.cancel();
      };
      const call = start({
        resolve: (value) => {
          signal?.removeEventListener('abort', abort);
          resolve(value);
        },
        reject: (error) => {
          signal?.removeEventListener('abort', abort);
          reject(error);
        },
      });
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : fromServiceError(thrown));

const answered =
  (settle: Settle<Buffer>) =>
  (error: ServiceError | null, bytes?: Buffer): void => {
    if (error === null) settle.resolve(bytes ?? Buffer.alloc(0));
    else settle.reject(fromServiceError(error));
  };
