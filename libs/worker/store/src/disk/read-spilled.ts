/**
 * Streams a spilled value off the disk for whoever sends it on: a piece at a time, each checked before it is passed on,
 * so that serving a large value takes little memory and a damaged one never reaches anyone as whole.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { Buffer } from 'node:buffer';
import type { SpilledRead } from '@spillway/ports';
import { DamagedRecordError } from './failure.js';
import { openPiece } from './piece.js';
import {
  decodeHeader,
  HEADER_PREFIX_BYTES,
  parsePrefix,
  storedBytesOf,
  type RecordHeader,
} from './record.js';

/** The part of a `SpilledRead` that crosses threads. */
export type SpilledLocation = Pick<SpilledRead, 'key' | 'path' | 'offset' | 'recordBytes'>;

/**
 * The raw bytes of the value in order, in parts of up to 1 MiB. Throws `DamagedRecordError` in the middle of it where
 * the record is not what was written, or the operating system's error.
 */
export async function* readSpilled(location: SpilledLocation): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(location.path, 'r');
  try {
    const { header, headerBytes } = await readHeader(file, location);
    let at = headerBytes;
    for (const [index, piece] of header.pieces.entries()) {
      const stored = await readAt(file, location, at, piece.storedBytes);
      const raw = openPiece(header, index, stored);
      if (raw === undefined) throw damaged(location, `piece ${index} does not match its checksum`);
      yield raw;
      at += piece.storedBytes;
    }
  } finally {
    await file.close();
  }
}

async function readHeader(
  file: FileHandle,
  location: SpilledLocation,
): Promise<{ header: RecordHeader; headerBytes: number }> {
  const extent = parsePrefix(
    await readAt(file, location, 0, Math.min(HEADER_PREFIX_BYTES, location.recordBytes)),
  );
  if (extent === undefined || extent.recordBytes !== location.recordBytes)
    throw damaged(location, 'there is no header where it should be');
  const { headerBytes } = extent;
  const header = decodeHeader(await readAt(file, location, 0, headerBytes));
  if (header?.key !== location.key || headerBytes + storedBytesOf(header.pieces) !== location.recordBytes)
    throw damaged(location, 'its header does not match its checksum, or its key');
  return { header, headerBytes };
}

async function readAt(
  file: FileHandle,
  location: SpilledLocation,
  from: number,
  count: number,
): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(count);
  let done = 0;
  while (done < count) {
    const { bytesRead } = await file.read(bytes, done, count - done, location.offset + from + done);
    if (bytesRead === 0) throw damaged(location, 'the file ends before it does');
    done += bytesRead;
  }
  return bytes;
}

const damaged = ({ path, offset }: SpilledLocation, what: string): DamagedRecordError =>
  new DamagedRecordError(`byte ${offset} of ${path}`, what);
