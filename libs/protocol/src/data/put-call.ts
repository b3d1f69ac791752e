/** One upload, from the sender's side: no faster than the other end reads, and never without an end. */
import { setTimeout } from 'node:timers/promises';
import { type ClientWritableStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import { InvalidArgumentError, UnavailableError } from '@spillway/kernel';
import { DATA_CHUNK_BYTES } from '@spillway/messages';
import type { ArrivedValue } from '@spillway/ports';
import { fromServiceError } from '../status.js';
import { isBusy } from './fetch-call.js';
import { PacedWriter } from './pacing.js';
import type { PeerLease } from './peer-channels.js';
import {
  TRANSFER_DEADLINE_MS,
  TRANSFER_IDLE_MS,
  type TransferOptions,
  whenAborted,
} from './transfer-options.js';
import type { PutMethod, PutValueResponse, ValueStart } from './wire.js';

/** The messages of an upload; a relayed one differs in its first. */
export interface PutMessages<Request> {
  start(start: ValueStart): Request;
  chunk(chunk: Uint8Array): Request;
}

export interface PutCall<Request> {
  readonly openLease: () => PeerLease;
  readonly method: PutMethod<Request>;
  readonly messages: PutMessages<Request>;
  readonly value: ArrivedValue;
  readonly options: TransferOptions;
}

/** Resolves once the value is stored; while the other end serves enough others, asks again. Rejects with a `SpillwayError`. */
export async function putOver<Request>(put: PutCall<Request>): Promise<void> {
  const deadlineAtMs = Date.now() + (put.options.deadlineMs ?? TRANSFER_DEADLINE_MS);
  for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
    try {
      return await putOnce(put, deadlineAtMs);
    } catch (error) {
      if (!isBusy(error) || Date.now() + pauseMs > deadlineAtMs) throw error;
    }
    await setTimeout(pauseMs, undefined, put.options.signal === undefined ? {} : { signal: put.options.signal });
  }
}

async function putOnce<Request>(put: PutCall<Request>, deadlineAtMs: number): Promise<void> {
  using lease = put.openLease();
  await lease.connected();
  const { call, stored } = open(lease, put, deadlineAtMs);
  const writer = new PacedWriter<Request>(call, put.options.idleMs ?? TRANSFER_IDLE_MS);
  using _aborted = whenAborted([put.options.signal, lease.signal], (reason) =>
    writer.stop(reason instanceof Error ? reason : new UnavailableError('The upload was aborted.')),
  );
  // The other end may refuse before everything is sent; its reason is the one that counts.
  stored.catch((error: unknown) => writer.stop(error as Error));
  try {
    await sendAll(put, call, writer);
    const { sizeBytes } = await Promise.race([stored, stopOf(writer.signal)]);
    if (sizeBytes !== put.value.payload.data.byteLength) throw wrongSize(put.value, sizeBytes);
  } catch (error) {
    call.cancel();
    if (!isBusy(error)) lease.discard();
    throw error;
  }
}

async function sendAll<Request>(
  put: PutCall<Request>,
  call: ClientWritableStream<Request>,
  writer: PacedWriter<Request>,
): Promise<void> {
  const { encoding, data } = put.value.payload;
  await writer.write(put.messages.start({ key: put.value.key, encoding, sizeBytes: data.byteLength }));
  for (let at = 0; at < data.byteLength; at += DATA_CHUNK_BYTES) {
    await writer.write(put.messages.chunk(data.subarray(at, at + DATA_CHUNK_BYTES)));
  }
  call.end();
}

/** Never resolves. */
function stopOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    whenAborted([signal], (reason) => reject(reason as Error));
  });
}

const wrongSize = ({ key }: ArrivedValue, sizeBytes: number): Error =>
  new InvalidArgumentError(`Value ${key} was stored with ${sizeBytes} bytes, which is not what was sent.`);

function open<Request>(
  lease: PeerLease,
  { method }: PutCall<Request>,
  deadline: number,
): {
  call: ClientWritableStream<Request>;
  stored: Promise<PutValueResponse>;
} {
  let settle!: (error: ServiceError | null, response?: PutValueResponse) => void;
  const stored = new Promise<PutValueResponse>((resolve, reject) => {
    settle = (error, response) => {
      if (response === undefined) reject(fromServiceError(error));
      else resolve(response);
    };
  });
  const call = lease.client.makeClientStreamRequest(
    method.path,
    method.requestSerialize,
    method.responseDeserialize,
    new Metadata(),
    { deadline },
    settle,
  );
  // What went wrong comes through the callback; an unhandled 'error' would end the process.
  call.on('error', () => undefined);
  return { call, stored };
}
