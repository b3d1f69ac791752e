/**
 * Finds out what is in a segment that a process left behind, by its headers: for adoption by a successor. Bodies are not
 * checked here; each is when its value is read.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { Buffer } from 'node:buffer';
import {
  decodeHeader,
  HEADER_PREFIX_BYTES,
  parsePrefix,
  storedBytesOf,
  type RecordHeader,
} from './record.js';

export interface FoundRecord {
  readonly header: RecordHeader;
  readonly offset: number;
  readonly recordBytes: number;
}

export interface SegmentExtent {
  readonly fileBytes: number;
  /** What lies behind this is not a whole record; `undefined`: the file ends with its last record. */
  readonly tornAtBytes: number | undefined;
}

/** Headers of small records are read many at a time, with what is between them. */
const MANY_BYTES = 1024 * 1024;
/** Behind a record larger than this only the next header is read. */
const DENSE_BYTES_MAX = 128 * 1024;
const ONE_BYTES = 4096;

/**
 * Hands over each whole record from the start of the file to the first that is not. Rejects when the file cannot be read.
 * Holds 1 MiB of it at a time, or one header.
 */
export async function readSegment(path: string, take: (record: FoundRecord) => void): Promise<SegmentExtent> {
  const file = await open(path, 'r');
  try {
    const { size: fileBytes } = await file.stat();
    const window = new Window(file, fileBytes);
    let offset = 0;
    while (offset < fileBytes) {
      const record = await readRecord(window, offset, fileBytes);
      if (record === undefined) return { fileBytes, tornAtBytes: offset };
      take(record);
      offset += record.recordBytes;
      window.aheadBytes = record.recordBytes > DENSE_BYTES_MAX ? ONE_BYTES : MANY_BYTES;
    }
    return { fileBytes, tornAtBytes: undefined };
  } finally {
    await file.close();
  }
}

async function readRecord(
  window: Window,
  offset: number,
  fileBytes: number,
): Promise<FoundRecord | undefined> {
  const extent = parsePrefix(await window.bytesAt(offset, HEADER_PREFIX_BYTES));
  if (extent === undefined || offset + extent.recordBytes > fileBytes) return undefined;
  const { headerBytes, recordBytes } = extent;
  const header = decodeHeader(await window.bytesAt(offset, headerBytes));
  if (header === undefined || headerBytes + storedBytesOf(header.pieces) !== recordBytes) return undefined;
  return { header, offset, recordBytes };
}

/** A part of the file in memory, moved along as it is asked for. */
class Window {
  /** How much is read at a time. */
  aheadBytes = MANY_BYTES;
  #bytes = Buffer.alloc(0);
  #start = 0;

  constructor(
    private readonly file: FileHandle,
    private readonly fileBytes: number,
  ) {}

  /** Fewer at the end of the file. */
  async bytesAt(offset: number, count: number): Promise<Buffer> {
    const end = Math.min(offset + count, this.fileBytes);
    if (offset < this.#start || end > this.#start + this.#bytes.length)
      await this.#load(offset, end - offset);
    return this.#bytes.subarray(offset - this.#start, end - this.#start);
  }

  async #load(offset: number, count: number): Promise<void> {
    const target = Buffer.alloc(Math.min(Math.max(count, this.aheadBytes), this.fileBytes - offset));
    let done = 0;
    while (done < target.length) {
      const { bytesRead } = await this.file.read(target, done, target.length - done, offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    this.#bytes = target.subarray(0, done);
    this.#start = offset;
  }
}
