import { checksum } from '@spillway/values';

/** A whole frame, whatever is in it. */
export function frameWithBody(body: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(body.length, 0);
  head.writeBigUInt64LE(checksum(body), 4);
  return Buffer.concat([head, body]);
}
