/**
 * Handlers for calls, free of gRPC: requests come decoded and checked, answers are plain objects, what is thrown
 * becomes a status. A handler's signal aborts when the caller has gone or its deadline has passed.
 */
import type {
  MethodDefinition,
  sendUnaryData,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedHandleCall,
} from '@grpc/grpc-js';
import { InvariantError, UnavailableError } from '@spillway/kernel';
import type { Logger } from '@spillway/ports';
import { decodeWire } from '../decoding.js';
import { rawMethod, type MethodInfo, type WireCodec } from '../service.js';
import { toServiceError } from '../status.js';

/** A method with its handler, ready to be added to a server. */
export interface ServedCall {
  readonly definition: MethodDefinition<Buffer, Buffer>;
  readonly handler: UntypedHandleCall;
}

type Codec<T> = Pick<WireCodec<T>, 'decode'>;
type Encoder<T> = Pick<WireCodec<T>, 'encode'>;

/** A caller that sends parts must send the next within this. */
const PART_TIMEOUT_MS = 60_000;

export class CallFactory {
  constructor(private readonly logger: Logger | undefined) {}

  /** One request, one answer. */
  unary<Request, Response>(
    info: MethodInfo,
    request: Codec<Request>,
    response: Encoder<Response>,
    handle: (request: Request, signal: AbortSignal) => Response | Promise<Response>,
  ): ServedCall {
    const handler = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void => {
      const signal = abortedWith(call);
      this.#run(info, async () => {
        const result = await handle(decodeWire(request, call.request), signal);
        answer(null, asBuffer(response.encode(result).finish()));
      }).catch((error: unknown) => answer(toServiceError(error)));
    };
    return { definition: rawMethod(info), handler };
  }

  /** Parts of a request, taken as fast as the handler asks for them, and one answer. */
  clientStream<Request, Response>(
    info: MethodInfo,
    request: Codec<Request>,
    response: Encoder<Response>,
    handle: (parts: AsyncIterable<Request>, signal: AbortSignal) => Promise<Response>,
  ): ServedCall {
    const handler = (call: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void => {
      const signal = abortedWith(call);
      this.#run(info, async () => {
        const result = await handle(partsOf(call, request), signal);
        answer(null, asBuffer(response.encode(result).finish()));
      }).catch((error: unknown) => answer(toServiceError(error)));
    };
    return { definition: rawMethod(info), handler };
  }

  /** One request, and an answer in parts, made as fast as the caller takes them, or as they come. */
  serverStream<Request, Response>(
    info: MethodInfo,
    request: Codec<Request>,
    response: Encoder<Response>,
    handle: (request: Request, signal: AbortSignal) => Iterable<Response> | AsyncIterable<Response>,
  ): ServedCall {
    const handler = (call: ServerWritableStream<Buffer, Buffer>): void => {
      const signal = abortedWith(call);
      this.#run(info, async () => {
        for await (const part of handle(decodeWire(request, call.request), signal)) {
          if (signal.aborted) return;
          if (!call.write(asBuffer(response.encode(part).finish()))) await drained(call, signal);
        }
        call.end();
      }).catch((error: unknown) => call.emit('error', toServiceError(error)));
    };
    return { definition: rawMethod(info), handler };
  }

  async #run(info: MethodInfo, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const status = toServiceError(error);
      if (error instanceof InvariantError || status.details === 'INVARIANT') {
        this.logger?.error({ err: error, call: info.path }, 'a call failed because of a mistake of ours');
      }
      throw error;
    }
  }
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function abortedWith(call: {
  on(event: string, listener: () => void): unknown;
  readonly cancelled: boolean;
}): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => controller.abort(new UnavailableError('The caller has gone.'));
  call.on('cancelled', abort);
  call.on('error', abort);
  if (call.cancelled) abort();
  return controller.signal;
}

async function* partsOf<Request>(
  call: ServerReadableStream<Buffer, Buffer>,
  codec: Codec<Request>,
): AsyncGenerator<Request> {
  let timer: NodeJS.Timeout | undefined;
  const give = (why: string): void => void call.destroy(new UnavailableError(why));
  const restart = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => give('The next part did not come in time.'), PART_TIMEOUT_MS).unref();
  };
  call.on('cancelled', () => give('The caller has gone.'));
  restart();
  try {
    for await (const bytes of call as AsyncIterable<Buffer>) {
      restart();
      yield decodeWire(codec, bytes);
    }
  } finally {
    clearTimeout(timer);
  }
}

function drained(call: ServerWritableStream<Buffer, Buffer>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    call.on('drain', done);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
