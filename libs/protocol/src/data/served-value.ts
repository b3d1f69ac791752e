/** Where a data server has its values from: in memory, or read while they are sent. */
import type { TaskKey } from '@spillway/kernel';
import type { Encoding, Payload } from '@spillway/messages';
import type { ArrivedValue } from '@spillway/ports';

/** A value that is read while it is sent, so that its size is never taken in memory. */
export interface StreamedValue {
  readonly encoding: Encoding;
  readonly sizeBytes: number;
  /**
   * Exactly its bytes, in order; each part has been sent before the next is asked for. Throws `LostDataError` when it turns out
   * that they are not there any more: then the value is missing here, or the transfer breaks off when it has begun.
   */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Called once, however the transfer ends, when nothing of it is read any more. */
  release(): void;
}

export type ServedValue = Payload | StreamedValue;

export interface DataSource {
  /** The value, for one transfer; `undefined` when it is not held here. */
  serve(key: TaskKey): Promise<ServedValue | undefined>;
  /** A client (or peer) put a value here. Rejects when it is refused. */
  accept(value: ArrivedValue): Promise<void>;
}

export const isStreamed = (value: ServedValue): value is StreamedValue => 'chunks' in value;

export const sizeBytesOf = (value: ServedValue): number =>
  isStreamed(value) ? value.sizeBytes : value.data.byteLength;
