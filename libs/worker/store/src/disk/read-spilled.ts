/**
 * Streams a spilled value off the disk for whoever sends it on: a piece at a time, each checked before it is passed on,
 * so that serving a large value takes little memory and a damaged one never reaches anyone as whole.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { Buffer } from 'node:buffer';
import type { SpilledRead } from '@spillway/ports';
import { DamagedRecordError } from './failure.js';
import { openPiece } from './piece.js';
import { decodeHeader, parsePrefix, storedBytesOf, type RecordHeader } from './record.js';

/** The part of a `SpilledRead` that crosses threads. */
export type SpilledLocation = Pick<SpilledRead, 'key' | 'path' | 'offset' | 'recordBytes' | 'rawBytes'>;

/** The first read takes so much: all of a small record, and the header of a large one. */
const FIRST_READ_BYTES = 20 * 1024;

/**
 * The raw bytes of the value in order, in parts of up to 1 MiB, each of which is valid until the next is asked for.
 * Throws `DamagedRecordError` in the middle of it where the record is not what was written, or the operating system's
 * error. Holds the bytes of one part, and once more as many while it inflates.
 */
export async function* readSpilled(location: SpilledLocation): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(location.path, 'r');
  try {
    const reader = new PieceReader(file, location);
    const { header, headerBytes } = await reader.readHeader();
    let at = headerBytes;
    for (const [index, piece] of header.pieces.entries()) {
      const stored = await reader.readAt(at, piece.storedBytes);
      const raw = openPiece(header, index, stored);
      if (raw === undefined) throw damaged(location, `piece ${index} does not match its checksum`);
      yield raw;
      at += piece.storedBytes;
    }
  } finally {
    await file.close();
  }
}

/** Parts of one record, each in the place of the one before. */
class PieceReader {
  /** The start of the record. */
  #first = Buffer.alloc(0);
  #buffer = Buffer.alloc(0);

  constructor(
    private readonly file: FileHandle,
    private readonly location: SpilledLocation,
  ) {}

  async readHeader(): Promise<{ header: RecordHeader; headerBytes: number }> {
    const { key, recordBytes, rawBytes } = this.location;
    this.#first = Buffer.allocUnsafeSlow(Math.min(FIRST_READ_BYTES, recordBytes));
    await this.#fill(this.#first, 0);
    const extent = parsePrefix(this.#first);
    if (extent === undefined || extent.recordBytes !== recordBytes)
      throw damaged(this.location, 'there is no header where it should be');
    const { headerBytes } = extent;
    const header = decodeHeader(await this.readAt(0, headerBytes));
    if (header?.key !== key || headerBytes + storedBytesOf(header.pieces) !== recordBytes)
      throw damaged(this.location, 'its header does not match its checksum, or its key');
    if (header.rawBytes !== rawBytes) throw damaged(this.location, 'its value has another length');
    return { header, headerBytes };
  }

  /** Valid until the next call. */
  async readAt(from: number, count: number): Promise<Buffer> {
    if (from + count <= this.#first.length) return this.#first.subarray(from, from + count);
    if (this.#buffer.length < count) this.#buffer = Buffer.allocUnsafeSlow(count);
    const bytes = this.#buffer.subarray(0, count);
    await this.#fill(bytes, from);
    return bytes;
  }

  async #fill(target: Buffer, from: number): Promise<void> {
    const { offset } = this.location;
    let done = 0;
    while (done < target.length) {
      const { bytesRead } = await this.file.read(target, done, target.length - done, offset + from + done);
      if (bytesRead === 0) throw damaged(this.location, 'the file ends before it does');
      done += bytesRead;
    }
  }
}

const damaged = ({ path, offset }: SpilledLocation, what: string): DamagedRecordError =>
  new DamagedRecordError(`byte ${offset} of ${path}`, what);
