import type { MethodDefinition } from '@grpc/grpc-js';

/** The part of a pbjs static message class the transport needs. */
export interface WireCodec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

/** The run-time facts pbjs attaches to a static service method. */
export interface MethodInfo {
  readonly path: string;
  readonly requestStream: true | undefined;
  readonly responseStream: true | undefined;
}

// pbjs writes into a pooled Buffer on Node, so `finish()` is a Buffer already: no copy.
const toBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A typed grpc-js method made of the facts that pbjs generated, so that nothing is said twice. */
export function method<Request, Response>(
  info: MethodInfo,
  request: WireCodec<Request>,
  response: WireCodec<Response>,
): MethodDefinition<Request, Response> {
  return {
    path: info.path,
    requestStream: info.requestStream === true,
    responseStream: info.responseStream === true,
    requestSerialize: (message) => toBuffer(request.encode(message).finish()),
    requestDeserialize: (bytes) => request.decode(bytes),
    responseSerialize: (message) => toBuffer(response.encode(message).finish()),
    responseDeserialize: (bytes) => response.decode(bytes),
  };
}

/**
 * The same method with its messages left as bytes. Bytes that do not decode inside grpc-js end the call as INTERNAL;
 * left to us, they are the sender's mistake and say so.
 */
export const rawMethod = (info: MethodInfo): MethodDefinition<Buffer, Buffer> => method(info, RAW, RAW);

const RAW: WireCodec<Buffer> = {
  encode: (bytes) => ({ finish: () => bytes }),
  decode: (bytes) => toBuffer(bytes),
};
