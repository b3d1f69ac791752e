/**
 * The form of one spilled value on disk: a header, then the value's bytes in pieces, each with a checksum of its own, so
 * that a reader can stream a large value and never passes on a damaged piece. Numbers are little-endian.
 *
 *      0  magic               u32
 *      4  format version      u8
 *      5  encoding, codec     u8, u8   (positions in ENCODINGS and CODEC_NAMES: those lists only ever grow)
 *      7  zero                u8
 *      8  bytes of the key    u32
 *     12  bytes of a piece    u32      (uncompressed; the last piece is what is left)
 *     16  raw bytes           u64      (of the value)
 *     24  stored bytes        u64      (of all pieces as they are here)
 *     32  header checksum     u64      (xxh64 of all of the header but these eight bytes)
 *     40  the key, UTF-8
 *      …  for each piece: stored bytes u32, xxh64 of its stored bytes u64
 *
 * A piece stored in as many bytes as it has is not compressed, whatever the codec.
 */
import { Buffer } from 'node:buffer';
import { ENCODINGS, type Encoding } from '@spillway/messages';
import { checksum } from '@spillway/values';
import { CODEC_NAMES, type CodecName } from './codec.js';

/** "SPWR", read as a little-endian number. */
const MAGIC = 0x52575053;
const FORMAT_VERSION = 1;
/** What pieces are cut to: compression never works on more at a time, and a reader never holds more. */
export const PIECE_BYTES = 1024 * 1024;

export const HEADER_PREFIX_BYTES = 40;
const CHECKSUM_AT = 32;
const PIECE_ENTRY_BYTES = 12;
/** No key comes near it; what claims more is not a header. */
const KEY_BYTES_MAX = 1024 * 1024;
const PIECE_COUNT_MAX = 1_000_000;

export interface Piece {
  readonly storedBytes: number;
  readonly checksum: bigint;
}

export interface RecordHeader {
  readonly key: string;
  readonly encoding: Encoding;
  readonly codec: CodecName;
  readonly rawBytes: number;
  readonly pieceBytes: number;
  readonly pieces: readonly Piece[];
}

export const pieceCountOf = (rawBytes: number, pieceBytes = PIECE_BYTES): number =>
  Math.ceil(rawBytes / pieceBytes);

/** Uncompressed bytes of one piece. */
export const rawPieceBytes = ({ rawBytes, pieceBytes }: RecordHeader, index: number): number =>
  Math.min(pieceBytes, rawBytes - index * pieceBytes);

export const storedBytesOf = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, piece) => sum + piece.storedBytes, 0);

export const headerBytesOf = (keyBytes: number, pieceCount: number): number =>
  HEADER_PREFIX_BYTES + keyBytes + pieceCount * PIECE_ENTRY_BYTES;

/** Most bytes that the record of a value takes. */
export const recordBytesMax = (key: string, rawBytes: number): number =>
  headerBytesOf(Buffer.byteLength(key), pieceCountOf(rawBytes)) + rawBytes;

/** Writes the header at the start of `target` and returns how many bytes it has. */
export function writeHeader(target: Buffer, header: RecordHeader): number {
  const keyBytes = target.write(header.key, HEADER_PREFIX_BYTES, 'utf8');
  const headerBytes = headerBytesOf(keyBytes, header.pieces.length);
  target.writeUInt32LE(MAGIC, 0);
  target.writeUInt8(FORMAT_VERSION, 4);
  target.writeUInt8(ENCODINGS.indexOf(header.encoding), 5);
  target.writeUInt8(CODEC_NAMES.indexOf(header.codec), 6);
  target.writeUInt8(0, 7);
  target.writeUInt32LE(keyBytes, 8);
  target.writeUInt32LE(header.pieceBytes, 12);
  target.writeBigUInt64LE(BigInt(header.rawBytes), 16);
  target.writeBigUInt64LE(BigInt(storedBytesOf(header.pieces)), 24);
  let at = HEADER_PREFIX_BYTES + keyBytes;
  for (const piece of header.pieces) {
    target.writeUInt32LE(piece.storedBytes, at);
    target.writeBigUInt64LE(piece.checksum, at + 4);
    at += PIECE_ENTRY_BYTES;
  }
  target.writeBigUInt64LE(headerChecksum(target.subarray(0, headerBytes)), CHECKSUM_AT);
  return headerBytes;
}

export function encodeHeader(header: RecordHeader): Buffer {
  const target = Buffer.alloc(headerBytesOf(Buffer.byteLength(header.key), header.pieces.length));
  writeHeader(target, header);
  return target;
}

/** How long header and record are, by the first bytes of one; `undefined` when they are not the start of a record. */
export function parsePrefix(prefix: Buffer): { headerBytes: number; recordBytes: number } | undefined {
  if (prefix.length < HEADER_PREFIX_BYTES || prefix.readUInt32LE(0) !== MAGIC) return undefined;
  if (prefix.readUInt8(4) !== FORMAT_VERSION) return undefined;
  const keyBytes = prefix.readUInt32LE(8);
  const pieceBytes = prefix.readUInt32LE(12);
  if (pieceBytes === 0 || pieceBytes > PIECE_BYTES) return undefined;
  const pieceCount = pieceCountOf(Number(prefix.readBigUInt64LE(16)), pieceBytes);
  if (keyBytes > KEY_BYTES_MAX || pieceCount > PIECE_COUNT_MAX) return undefined;
  const headerBytes = headerBytesOf(keyBytes, pieceCount);
  return { headerBytes, recordBytes: headerBytes + Number(prefix.readBigUInt64LE(24)) };
}

/** The header, whole and checked; `undefined` when a bit of it is wrong. */
export function decodeHeader(bytes: Buffer): RecordHeader | undefined {
  const extent = parsePrefix(bytes);
  if (extent === undefined || bytes.length < extent.headerBytes) return undefined;
  const header = bytes.subarray(0, extent.headerBytes);
  if (headerChecksum(Buffer.from(header)) !== header.readBigUInt64LE(CHECKSUM_AT)) return undefined;
  const encoding = ENCODINGS[header.readUInt8(5)];
  const codec = CODEC_NAMES[header.readUInt8(6)];
  if (encoding === undefined || codec === undefined) return undefined;
  const tableAt = HEADER_PREFIX_BYTES + header.readUInt32LE(8);
  const pieces: Piece[] = [];
  for (let at = tableAt; at < header.length; at += PIECE_ENTRY_BYTES)
    pieces.push({ storedBytes: header.readUInt32LE(at), checksum: header.readBigUInt64LE(at + 4) });
  const pieceBytes = header.readUInt32LE(12);
  // A piece is never stored in more bytes than it has.
  if (pieces.some(({ storedBytes }) => storedBytes > pieceBytes)) return undefined;
  return {
    key: header.toString('utf8', HEADER_PREFIX_BYTES, tableAt),
    encoding,
    codec,
    rawBytes: Number(header.readBigUInt64LE(16)),
    pieceBytes,
    pieces,
  };
}

/** Of the header with zeros where the checksum itself goes. Requires: a copy that may be written to, or such zeros. */
function headerChecksum(header: Buffer): bigint {
  header.fill(0, CHECKSUM_AT, CHECKSUM_AT + 8);
  return checksum(header);
}
