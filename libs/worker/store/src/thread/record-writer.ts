/**
 * Appends records to segments. Small values are laid out side by side and written in one go; a large one goes piece by
 * piece, its header last: until that stands, a scan of the file ends before it, and whoever died meanwhile has left
 * nothing that looks whole.
 */
import { Buffer } from 'node:buffer';
import type { Payload } from '@spillway/messages';
import { checksum } from '@spillway/values';
import { CODECS, type CodecName } from '../disk/codec.js';
import type { CompressionChoice, Throughput } from '../disk/compression-choice.js';
import { writeFailure } from '../disk/failure.js';
import {
  encodeHeader,
  headerBytesOf,
  PIECE_BYTES,
  pieceCountOf,
  recordBytesMax,
  writeHeader,
  type Piece,
} from '../disk/record.js';
import type { RecordPosition, ValueToWrite, Written } from '../disk/spill-disk.js';
import type { Tally } from '../disk/tally.js';
import { ALONE_BYTES, writeFully, type OpenSegment, type SegmentFiles } from './segment-files.js';
import { stopwatch } from './stopwatch.js';

/** A large value is written so many pieces at a time; between them the thread may serve reads. */
const SLICE_BYTES = 8 * PIECE_BYTES;

/** A piece as it goes to disk. */
interface StoredPiece {
  readonly bytes: Uint8Array;
  readonly checksum: bigint;
}

export interface WriterTools {
  readonly files: SegmentFiles;
  readonly compression: CompressionChoice;
  readonly diskSpeed: Throughput;
  readonly tally: Tally;
}

export class RecordWriter {
  /** Where small records are laid out. */
  #block = Buffer.alloc(0);

  constructor(private readonly tools: WriterTools) {}

  /** Requires: at most a few MiB in all. */
  writeSmall(values: readonly ValueToWrite[]): readonly Written[] {
    const { files } = this.tools;
    let file: OpenSegment | undefined;
    try {
      const bytesMax = values.reduce(
        (sum, value) => sum + recordBytesMax(value.key, value.payload.data.byteLength),
        0,
      );
      file = files.forAppending(bytesMax, false);
      if (this.#block.length < bytesMax) this.#block = Buffer.allocUnsafeSlow(bytesMax);
      const block = this.#block;
      const positions = this.#layOut(values, block, file);
      const usedBytes = positions.reduce((sum, position) => sum + position.recordBytes, 0);
      this.#write(file, block.subarray(0, usedBytes), file.sizeBytes);
      files.finish(file, file.sizeBytes + usedBytes);
      this.tools.tally.add('writeCount', values.length);
      return positions.map((position) => ({ ok: true, position }));
    } catch (error) {
      if (file !== undefined) files.abandon(file);
      const failure = writeFailure(error);
      return values.map(() => ({ ok: false, ...failure }));
    }
  }

  /** Takes a step each time it is asked for the next; the last one returns what came of it. */
  *writeLarge({ key, payload }: ValueToWrite): Generator<undefined, Written> {
    const { files } = this.tools;
    const rawBytes = payload.data.byteLength;
    let file: OpenSegment | undefined;
    try {
      file = files.forAppending(recordBytesMax(key, rawBytes), rawBytes > ALONE_BYTES);
      const codec = this.tools.compression.codecFor(payload.data);
      const headerBytes = headerBytesOf(Buffer.byteLength(key), pieceCountOf(rawBytes));
      const pieces = yield* this.#writePieces(file, file.sizeBytes + headerBytes, payload, codec);
      const header = encodeHeader({
        key,
        encoding: payload.encoding,
        codec,
        rawBytes,
        pieceBytes: PIECE_BYTES,
        pieces,
      });
      this.#write(file, header, file.sizeBytes);
      const recordBytes = header.length + pieces.reduce((sum, piece) => sum + piece.storedBytes, 0);
      const position = positionIn(file, file.sizeBytes, recordBytes, codec);
      files.finish(file, file.sizeBytes + recordBytes);
      this.tools.tally.add('writeCount', 1);
      return { ok: true, position };
    } catch (error) {
      if (file !== undefined) files.abandon(file);
      return { ok: false, ...writeFailure(error) };
    }
  }

  #layOut(values: readonly ValueToWrite[], block: Buffer, file: OpenSegment): RecordPosition[] {
    let at = 0;
    return values.map(({ key, payload: { encoding, data } }) => {
      const codec = this.tools.compression.codecFor(data);
      const stored = data.byteLength === 0 ? [] : [this.#store(data, codec)];
      const pieces = stored.map(({ bytes, checksum: sum }) => ({
        storedBytes: bytes.byteLength,
        checksum: sum,
      }));
      const rawBytes = data.byteLength;
      const start = at;
      at += writeHeader(block.subarray(at), {
        key,
        encoding,
        codec,
        rawBytes,
        pieceBytes: PIECE_BYTES,
        pieces,
      });
      for (const { bytes } of stored) {
        block.set(bytes, at);
        at += bytes.byteLength;
      }
      return positionIn(file, file.sizeBytes + start, at - start, codec);
    });
  }

  *#writePieces(
    file: OpenSegment,
    start: number,
    { data }: Payload,
    codec: CodecName,
  ): Generator<undefined, readonly Piece[]> {
    const pieces: Piece[] = [];
    let at = start;
    for (let from = 0; from < data.byteLength; from += SLICE_BYTES) {
      const slice = data.subarray(from, from + SLICE_BYTES);
      const stored = this.#storeSlice(slice, codec);
      for (const { bytes, checksum: sum } of stored)
        pieces.push({ storedBytes: bytes.byteLength, checksum: sum });
      // Uncompressed pieces lie side by side already.
      for (const bytes of codec === 'none' ? [slice] : stored.map((piece) => piece.bytes)) {
        this.#write(file, bytes, at);
        at += bytes.byteLength;
      }
      yield;
    }
    return pieces;
  }

  #storeSlice(slice: Uint8Array, codec: CodecName): StoredPiece[] {
    return Array.from({ length: pieceCountOf(slice.byteLength) }, (_, index) =>
      this.#store(slice.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES), codec),
    );
  }

  #store(raw: Uint8Array, codec: CodecName): StoredPiece {
    const bytes = codec === 'none' ? raw : this.#compress(raw, codec);
    return { bytes, checksum: checksum(bytes) };
  }

  #compress(raw: Uint8Array, codec: Exclude<CodecName, 'none'>): Uint8Array {
    const seconds = stopwatch();
    const compressed = CODECS[codec].compress(raw);
    this.tools.tally.add('compressBytes', raw.byteLength);
    this.tools.tally.add('compressSeconds', seconds());
    return compressed.byteLength < raw.byteLength ? compressed : raw;
  }

  #write(file: OpenSegment, bytes: Uint8Array, position: number): void {
    const seconds = stopwatch();
    writeFully(file.fd, bytes, position);
    const spent = seconds();
    this.tools.diskSpeed.add(bytes.byteLength, spent);
    this.tools.tally.add('writeBytes', bytes.byteLength);
    this.tools.tally.add('writeSeconds', spent);
  }
}

export const positionIn = (
  { segment, isAlone }: OpenSegment,
  offset: number,
  recordBytes: number,
  codec: CodecName,
): RecordPosition => ({ segment, offset, recordBytes, codec, isAlone });
