/** Reads records back, checked: what is returned is what was once put, or nothing is. */
import { Buffer } from 'node:buffer';
import { readSync } from 'node:fs';
import { SMALL_VALUE_BYTES, type Payload } from '@spillway/messages';
import { DamagedRecordError } from '../disk/failure.js';
import { openPiece } from '../disk/piece.js';
import {
  decodeHeader,
  parsePrefix,
  rawPieceBytes,
  storedBytesOf,
  type RecordHeader,
} from '../disk/record.js';
import type { RecordPosition } from '../disk/spill-disk.js';
import type { Tally } from '../disk/tally.js';
import { stopwatch } from './stopwatch.js';

/** Enough for the whole of a small record, and for the header of most. */
const FIRST_READ_BYTES = 8 * 1024;

export class RecordReader {
  constructor(
    private readonly fdOf: (segment: number) => number,
    private readonly tally: Tally,
  ) {}

  /** Throws `DamagedRecordError`, or what the operating system says. */
  read(key: string, position: RecordPosition): Payload {
    const fd = this.fdOf(position.segment);
    const first = this.#readAt(fd, position, 0, Math.min(FIRST_READ_BYTES, position.recordBytes));
    const { header, headerBytes } = this.#header(fd, key, position, first);
    const data = allocate(header.rawBytes);
    if (header.codec === 'none') this.#readPlain(fd, position, headerBytes, data);
    this.#fill(fd, position, headerBytes, header, data);
    this.tally.add('readCount', 1);
    return { encoding: header.encoding, data };
  }

  #header(
    fd: number,
    key: string,
    position: RecordPosition,
    first: Buffer,
  ): { header: RecordHeader; headerBytes: number } {
    const extent = parsePrefix(first);
    if (extent === undefined || extent.recordBytes !== position.recordBytes)
      throw damaged(position, 'there is no header where it should be');
    const { headerBytes } = extent;
    const header = decodeHeader(
      headerBytes <= first.length ? first : this.#readAt(fd, position, 0, headerBytes),
    );
    if (header?.key !== key) throw damaged(position, 'its header does not match its checksum, or its key');
    if (headerBytes + storedBytesOf(header.pieces) !== position.recordBytes)
      throw damaged(position, 'the lengths in its header do not add up');
    return { header, headerBytes };
  }

  /** All of the body straight into its destination. */
  #readPlain(fd: number, position: RecordPosition, headerBytes: number, data: Uint8Array): void {
    if (position.recordBytes !== headerBytes + data.byteLength)
      throw damaged(position, 'the lengths in its header do not add up');
    this.#readInto(fd, position, headerBytes, data);
  }

  /** Checks each piece, and inflates it where it is compressed. */
  #fill(
    fd: number,
    position: RecordPosition,
    headerBytes: number,
    header: RecordHeader,
    data: Uint8Array,
  ): void {
    let storedAt = headerBytes;
    header.pieces.forEach((piece, index) => {
      const rawAt = index * header.pieceBytes;
      const raw = data.subarray(rawAt, rawAt + rawPieceBytes(header, index));
      const stored = header.codec === 'none' ? raw : this.#readAt(fd, position, storedAt, piece.storedBytes);
      const seconds = stopwatch();
      const opened = openPiece(header, index, stored);
      if (opened === undefined) throw damaged(position, `piece ${index} does not match its checksum`);
      storedAt += piece.storedBytes;
      if (opened === raw) return;
      raw.set(opened);
      if (opened === stored) return;
      this.tally.add('decompressBytes', opened.byteLength);
      this.tally.add('decompressSeconds', seconds());
    });
  }

  #readAt(fd: number, position: RecordPosition, from: number, byteCount: number): Buffer {
    const bytes = Buffer.allocUnsafe(byteCount);
    this.#readInto(fd, position, from, bytes);
    return bytes;
  }

  #readInto(fd: number, position: RecordPosition, from: number, target: Uint8Array): void {
    const seconds = stopwatch();
    let done = 0;
    while (done < target.byteLength) {
      const count = readSync(fd, target, done, target.byteLength - done, position.offset + from + done);
      if (count === 0) throw damaged(position, 'the file ends before it does');
      done += count;
    }
    this.tally.add('readBytes', done);
    this.tally.add('readSeconds', seconds());
  }
}

const damaged = (position: RecordPosition, what: string): DamagedRecordError =>
  new DamagedRecordError(`byte ${position.offset} of segment ${position.segment}`, what);

/** Large values in shared memory: other threads see them without a copy. */
const allocate = (byteCount: number): Uint8Array =>
  byteCount > SMALL_VALUE_BYTES
    ? new Uint8Array(new SharedArrayBuffer(byteCount))
    : new Uint8Array(byteCount);
