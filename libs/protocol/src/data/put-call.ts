/** Putting one value, from the sender's side. */
import { setTimeout } from 'node:timers/promises';
import { DeadlineExceededError, InvalidArgumentError } from '@spillway/kernel';
import { DATA_CHUNK_BYTES } from '@spillway/messages';
import type { ArrivedValue } from '@spillway/ports';
import { isBusy } from './busy.js';
import type { PeerLease } from './peer-channels.js';
import { TRANSFER_DEADLINE_MS, TRANSFER_IDLE_MS, type TransferOptions } from './transfer-options.js';
import { uploadOver } from './upload-call.js';
import type { PutMethod, PutValueRequest } from './wire.js';

export interface PutCall<Request> {
  readonly openLease: () => PeerLease;
  readonly method: PutMethod<Request>;
  /** A relayed upload says more in its first message. */
  readonly adapt: (step: PutValueRequest, index: number) => Request;
  readonly value: ArrivedValue;
  readonly options: TransferOptions;
}

const BUSY_PAUSE_MS = { first: 20, longest: 1_000 };

/**
 * Resolves once the value is stored; while the other end serves enough others, asks again. Rejects with a
 * `SpillwayError`, or with the signal's reason.
 */
export async function putOver<Request>(put: PutCall<Request>): Promise<void> {
  const { deadlineMs = TRANSFER_DEADLINE_MS, signal } = put.options;
  const deadlineAtMs = Date.now() + deadlineMs;
  let busy: unknown;
  for (let pauseMs = BUSY_PAUSE_MS.first; ; pauseMs = Math.min(pauseMs * 2, BUSY_PAUSE_MS.longest)) {
    try {
      await putOnce(put, deadlineAtMs);
      return;
    } catch (error) {
      // Why there was no time left says more than that there was none.
      if (!isBusy(error)) throw error instanceof DeadlineExceededError ? (busy ?? error) : error;
      if (Date.now() + pauseMs > deadlineAtMs) throw error;
      busy = error;
    }
    await setTimeout(pauseMs, undefined, signal === undefined ? {} : { signal });
  }
}

async function putOnce<Request>(put: PutCall<Request>, deadline: number): Promise<void> {
  const { method, value, options } = put;
  using lease = put.openLease();
  try {
    const { sizeBytes } = await uploadOver({
      lease,
      method,
      messages: messagesOf(put),
      deadline,
      idleMs: options.idleMs ?? TRANSFER_IDLE_MS,
      signal: options.signal,
    });
    if (sizeBytes === value.payload.data.byteLength) return;
    throw new InvalidArgumentError(
      `Value ${value.key} was stored with ${sizeBytes} bytes, which is not what was sent.`,
    );
  } catch (error) {
    if (!isBusy(error)) lease.discard();
    throw error;
  }
}

function* messagesOf<Request>({ adapt, value }: PutCall<Request>): Generator<Request> {
  const { encoding, data } = value.payload;
  let index = 0;
  yield adapt({ step: 'start', start: { key: value.key, encoding, sizeBytes: data.byteLength } }, index++);
  for (let at = 0; at < data.byteLength; at += DATA_CHUNK_BYTES) {
    yield adapt({ step: 'chunk', chunk: data.subarray(at, at + DATA_CHUNK_BYTES) }, index++);
  }
}
