/** One piece of a record, from its stored bytes to its raw ones. */
import { checksum } from '@spillway/values';
import { CODECS } from './codec.js';
import { rawPieceBytes, type RecordHeader } from './record.js';

/**
 * The raw bytes of a piece: the stored ones themselves where it is not compressed. `undefined` when the stored bytes
 * are not what was written.
 */
export function openPiece(header: RecordHeader, index: number, stored: Uint8Array): Uint8Array | undefined {
  const piece = header.pieces[index];
  const rawBytes = rawPieceBytes(header, index);
  if (piece === undefined || stored.byteLength !== piece.storedBytes) return undefined;
  if (checksum(stored) !== piece.checksum) return undefined;
  if (header.codec === 'none' || stored.byteLength === rawBytes)
    return stored.byteLength === rawBytes ? stored : undefined;
  try {
    const raw = CODECS[header.codec].decompress(stored, rawBytes);
    return raw.byteLength === rawBytes ? raw : undefined;
  } catch {
    return undefined;
  }
}
