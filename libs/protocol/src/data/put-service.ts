/**
 * One upload, from the receiver's side: the announced size is checked before room is made for it, and nothing is
 * stored unless exactly that many bytes came.
 */
import type { ServerReadableStream } from '@grpc/grpc-js';
import { DeadlineExceededError, InvalidArgumentError, UnavailableError } from '@spillway/kernel';
import { IncomingValue } from './incoming-value.js';
import { IdleTimer } from './pacing.js';
import type { DataSource } from './served-value.js';
import { decodePutRequest, encodePutResponse } from './wire.js';

export interface PutServing {
  readonly source: Pick<DataSource, 'accept'>;
  readonly putBytesMax: number;
  /** Longest time a sender may send nothing. */
  readonly idleMs: number;
}

export type PutServerCall = ServerReadableStream<Buffer, Buffer>;

/** Resolves when the value is stored; rejects with the error to answer with. */
export async function servePut(call: PutServerCall, serving: PutServing): Promise<Buffer> {
  let arriving: IncomingValue | undefined;
  for await (const message of incoming(call, serving.idleMs)) {
    const request = decodePutRequest(message);
    if (arriving === undefined) {
      if (!request.start) throw new InvalidArgumentError('start: must come first.');
      arriving = new IncomingValue(request.start, serving.putBytesMax);
    } else if (request.chunk) {
      arriving.take(request.chunk);
    } else {
      throw new InvalidArgumentError(`Value ${arriving.key}: only chunks may follow its start.`);
    }
  }
  if (arriving === undefined) throw new InvalidArgumentError('start: must come first.');
  const value = arriving.finish();
  // The receiver may move the bytes to another thread, which leaves none here.
  const sizeBytes = value.payload.data.byteLength;
  await serving.source.accept(value);
  return encodePutResponse(sizeBytes);
}

/** The messages of a call, until the sender ends. Throws when the sender cancels or stands still. */
export async function* incoming(call: PutServerCall, idleMs: number): AsyncGenerator<Buffer, void> {
  let reason: Error | undefined;
  // grpc-js only emits on cancellation; destroying is what ends the iteration.
  const stop = (error: Error): void => {
    reason ??= error;
    call.destroy();
  };
  call.once('cancelled', () => stop(new UnavailableError('The sender has cancelled the upload.')));
  const idle = new IdleTimer(idleMs, () =>
    stop(new DeadlineExceededError(`The sender has sent nothing for ${idleMs} ms; the upload is given up.`)),
  );
  try {
    for await (const message of call) {
      idle.touch();
      yield message as Buffer;
    }
  } catch (error) {
    throw reason ?? error;
  } finally {
    idle.stop();
  }
  if (reason !== undefined) throw reason;
}
