/**
 * How records lie in a file: a head of 8 bytes that says what the file is, then frames, each with its length (uint32),
 * the xxHash of its body (uint64) and the body, little-endian. A frame that is cut off or does not match its hash ends
 * what can be read.
 */
import type { JournalRecord } from '@spillway/messages';
import { decodeJournalRecords, encodeJournalRecords } from '@spillway/protocol';
import { checksum } from '@spillway/values';

export const FILE_HEAD = Buffer.from('SPWJRNL1', 'latin1');
const FRAME_HEAD_BYTES = 12;
/** A length beyond this was never written. */
const BODY_BYTES_MAX = 2 ** 30;

/** Records written in one go. */
export function frameOf(records: readonly JournalRecord[]): Buffer {
  const body = encodeJournalRecords(records);
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + body.byteLength);
  frame.writeUInt32LE(body.byteLength, 0);
  frame.writeBigUInt64LE(checksum(body), 4);
  frame.set(body, FRAME_HEAD_BYTES);
  return frame;
}

/**
 * Tells the records of all whole frames, in order. Returns where the first frame that is not whole begins; the length of the
 * file when all are.
 */
export function readFrames(file: Buffer, onRecord: (record: JournalRecord) => void): number {
  if (!file.subarray(0, FILE_HEAD.length).equals(FILE_HEAD)) return 0;
  let offset = FILE_HEAD.length;
  for (;;) {
    const body = bodyAt(file, offset);
    if (body === undefined) return offset;
    // A copy: what is kept of it must not keep the whole file.
    for (const record of decodeJournalRecords(Buffer.from(body))) onRecord(record);
    offset += FRAME_HEAD_BYTES + body.byteLength;
  }
}

function bodyAt(file: Buffer, offset: number): Buffer | undefined {
  if (file.length - offset < FRAME_HEAD_BYTES) return undefined;
  const bytes = file.readUInt32LE(offset);
  const start = offset + FRAME_HEAD_BYTES;
  if (bytes > BODY_BYTES_MAX || start + bytes > file.length) return undefined;
  const body = file.subarray(start, start + bytes);
  return checksum(body) === file.readBigUInt64LE(offset + 4) ? body : undefined;
}
