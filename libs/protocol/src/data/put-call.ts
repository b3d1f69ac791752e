/** Putting one value, from the sender's side. */
import { setTimeout } from 'node:timers/promises';
import { DeadlineExceededError, InvalidArgumentError } from '@spillway/kernel';
import { DATA_CHUNK_BYTES } from '@spillway/messages';
import type { ArrivedValue } from '@spillway/ports';
import { isBusy } from './busy.js';
import { ChunkEncoder } from './chunk-encoder.js';
import type { PeerLease } from './peer-channels.js';
import { TRANSFER_DEADLINE_MS, TRANSFER_IDLE_MS, type TransferOptions } from './transfer-options.js';
import { uploadOver } from './upload-call.js';
import { type DataMethods, encodePutStart } from './wire.js';

export interface PutCall {
  readonly openLease: () => PeerLease;
  readonly method: DataMethods['putValue'];
  /** The worker to name to the relay; `undefined` when it is asked directly. */
  readonly workerId?: string;
  readonly value: ArrivedValue;
  readonly options: TransferOptions;
}

const BUSY_PAUSE_MS = { first: 20, longest: 1_000 };

/**
 * Resolves once the value is stored; while the other end serves enough others, asks again. Rejects with a
 * `SpillwayError`, or with the signal's reason.
 */
export async function putOver(put: PutCall): Promise<void> {
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

async function putOnce(put: PutCall, deadline: number): Promise<void> {
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

function* messagesOf({ value, workerId }: PutCall): Generator<Buffer> {
  const { encoding, data } = value.payload;
  yield encodePutStart({ key: value.key, encoding, sizeBytes: data.byteLength }, workerId);
  const chunks = new ChunkEncoder('put-request');
  for (let at = 0; at < data.byteLength; at += DATA_CHUNK_BYTES) {
    yield chunks.encode(data.subarray(at, at + DATA_CHUNK_BYTES));
  }
}
