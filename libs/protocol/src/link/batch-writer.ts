/** Packs the messages of one turn into as few batches as the limits allow. */
import { CONTROL_MESSAGE_BYTES_MAX } from '@spillway/messages';
import { Writer } from '@spillway/proto/runtime';
import { tooLarge } from '../decoding.js';

/** A batch is closed when it is this large. */
const BATCH_BYTES_MAX = 1024 * 1024;
/** What seq, ack and gRPC itself may add. */
const HEADER_BYTES_MAX = 64;
const MESSAGES_TAG = (5 << 3) | 2;

/** How the messages of one direction are written. A new one is asked for with each batch. */
export interface BatchEncoder<Message> {
  /** Writes the content of one element of `messages`. */
  write(message: Message, writer: Writer): void;
  /** Writes what the whole batch has in common. */
  finish?(writer: Writer): void;
}

/** An encoded batch without its numbers, which are added when it is written to a connection. */
export type BatchBody = Uint8Array;

/** Throws `LimitExceededError` for a message that no batch can hold. */
export function packBatches<Message>(
  messages: readonly Message[],
  encoderOf: () => BatchEncoder<Message>,
): BatchBody[] {
  const bodies: BatchBody[] = [];
  let encoder = encoderOf();
  let writer = Writer.create();
  const close = (): void => {
    encoder.finish?.(writer);
    if (writer.pos > CONTROL_MESSAGE_BYTES_MAX - HEADER_BYTES_MAX)
      throw tooLarge('A control message', writer.pos);
    bodies.push(writer.finish());
  };
  for (const message of messages) {
    if (writer.pos >= BATCH_BYTES_MAX) {
      close();
      encoder = encoderOf();
      writer = Writer.create();
    }
    writer.uint32(MESSAGES_TAG).fork();
    encoder.write(message, writer);
    writer.ldelim();
  }
  close();
  return bodies;
}

/** The same message with its numbers: protobuf fields may come in any order and in pieces. */
export function numbered(seq: number, ack: number, rest: Uint8Array): Buffer {
  const writer = Writer.create();
  if (seq > 0) writer.uint32(1 << 3).uint64(seq);
  if (ack > 0) writer.uint32(2 << 3).uint64(ack);
  return Buffer.concat([writer.finish(), rest]);
}
