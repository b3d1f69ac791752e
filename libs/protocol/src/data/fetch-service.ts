/**
 * One fetch, from the holder's side: loads one value after the other and sends it no faster than the receiver reads.
 * Between two keys it holds nothing but what waits in one message and small values that were loaded ahead.
 */
import { setImmediate } from 'node:timers/promises';
import type { ServerWritableStream } from '@grpc/grpc-js';
import { InvalidArgumentError, UnavailableError, type TaskKey } from '@spillway/kernel';
import { checkedKey } from './incoming-value.js';
import { LoadAhead } from './load-ahead.js';
import { PacedWriter } from './pacing.js';
import { isStreamed, type DataSource, type ServedValue, type StreamedValue } from './served-value.js';
import { ValueSender } from './value-sender.js';
import { decodeFetchRequest } from './wire.js';

export interface FetchServing {
  readonly source: DataSource;
  readonly chunkBytes: number;
  /** Longest time a receiver may read nothing. */
  readonly idleMs: number;
}

export type FetchServerCall = ServerWritableStream<Buffer, Buffer>;

/** Resolves when all is sent; rejects with the error to answer with. Stops loading once the call is cancelled. */
export async function serveFetch(call: FetchServerCall, serving: FetchServing): Promise<void> {
  const keys = decodeFetchRequest(call.request).keys.map(checkedKey);
  if (keys.length === 0) throw new InvalidArgumentError('keys: at least one key must be named.');
  const writer = new PacedWriter<Buffer>(call, serving.idleMs);
  const cancel = (): void => writer.stop(new UnavailableError('The receiver has cancelled the fetch.'));
  call.once('cancelled', cancel);
  if (call.cancelled) cancel();
  const sender = new ValueSender(serving.chunkBytes, (message) => writer.write(message));
  using loads = new LoadAhead(serving.source, keys);
  for (const key of keys) {
    writer.signal.throwIfAborted();
    const value = await nextWhileFlushing(loads, sender);
    if (value === undefined) await sender.sendMissing(key);
    else if (isStreamed(value)) await sendStreamed(sender, key, value);
    else await sender.sendValue(key, value);
  }
  await sender.flush();
}

async function sendStreamed(sender: ValueSender, key: TaskKey, value: StreamedValue): Promise<void> {
  try {
    await sender.sendStreamed(key, value);
  } finally {
    value.release();
  }
}

/** What waits for company is sent when the next value is not at hand within this turn. */
async function nextWhileFlushing(loads: LoadAhead, sender: ValueSender): Promise<ServedValue | undefined> {
  const loading = loads.next();
  // Nobody waits for it while the flush fails.
  loading.catch(() => undefined);
  const isAtHand = await Promise.race([loading.then(() => true), setImmediate(false)]);
  if (!isAtHand) await sender.flush();
  return loading;
}
