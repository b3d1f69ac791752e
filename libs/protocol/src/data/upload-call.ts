/** One client-streaming call, from the sender's side: no faster than the other end reads, and never without an end. */
import { type ClientWritableStream, Metadata, type MethodDefinition } from '@grpc/grpc-js';
import { UnavailableError } from '@spillway/kernel';
import { fromServiceError } from '../status.js';
import { PacedWriter } from './pacing.js';
import type { PeerLease } from './peer-channels.js';
import { whenAborted } from './transfer-options.js';

export interface UploadCall<Request, Response> {
  readonly lease: PeerLease;
  readonly method: MethodDefinition<Request, Response>;
  /** One is taken at a time, and the next only when it has left. */
  readonly messages: Iterable<Request> | AsyncIterable<Request>;
  readonly deadline: Date | number;
  /** Longest time the other end may read nothing. */
  readonly idleMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Resolves with the answer. Rejects with a `SpillwayError`, the signal's reason, or what `messages` throws. */
export async function uploadOver<Request, Response>(
  upload: UploadCall<Request, Response>,
): Promise<Response> {
  const { lease, messages, idleMs, signal } = upload;
  await lease.connected();
  const { call, answered } = open(upload);
  const writer = new PacedWriter<Request>(call, idleMs);
  const aborted = whenAborted([signal, lease.signal], (reason) => writer.stop(asError(reason)));
  // The other end may refuse before everything is sent; its reason is the one that counts.
  answered.catch((error: unknown) => writer.stop(asError(error)));
  try {
    const sent = sendAll(messages, writer, call);
    // Not only writing is stopped, but waiting for the next message and for the answer too.
    return await Promise.race([sent.then(() => answered), rejectionOf(writer.signal)]);
  } catch (error) {
    call.cancel();
    throw error;
  } finally {
    aborted[Symbol.dispose]();
  }
}

async function sendAll<Request>(
  messages: UploadCall<Request, unknown>['messages'],
  writer: PacedWriter<Request>,
  call: ClientWritableStream<Request>,
): Promise<void> {
  for await (const message of messages) await writer.write(message);
  call.end();
}

function open<Request, Response>({
  lease,
  method,
  deadline,
}: UploadCall<Request, Response>): {
  call: ClientWritableStream<Request>;
  answered: Promise<Response>;
} {
  let call!: ClientWritableStream<Request>;
  const answered = new Promise<Response>((resolve, reject) => {
    call = lease.client.makeClientStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      new Metadata(),
      { deadline },
      (error, response) => {
        if (response === undefined) reject(fromServiceError(error));
        else resolve(response);
      },
    );
  });
  // What went wrong comes through the callback; an unhandled 'error' would end the process.
  call.on('error', () => undefined);
  return { call, answered };
}

const rejectionOf = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    whenAborted([signal], (reason) => reject(asError(reason)));
  });

const asError = (reason: unknown): Error =>
  reason instanceof Error ? reason : new UnavailableError('The upload was aborted.');
