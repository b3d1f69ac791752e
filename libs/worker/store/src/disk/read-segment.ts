/**
 * Finds out what is in the segments that a process left behind, by their headers: for adoption by a successor. Bodies
 * are not read here; each is checked when its value is.
 */
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Buffer } from 'node:buffer';
import { segmentOfName } from '../thread/segment-files.js';
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

export interface FoundSegment {
  readonly records: readonly FoundRecord[];
  readonly fileBytes: number;
  /** What lies behind this is not a whole record; `undefined`: the file ends with its last record. */
  readonly tornAtBytes: number | undefined;
}

/** Headers of small records are read many at a time. */
const WINDOW_BYTES = 1024 * 1024;

/** The segments of a spill folder, oldest first. */
export async function segmentsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => segmentOfName(name) !== undefined)
    .toSorted()
    .map((name) => join(folder, name));
}

/** All whole records from the start of the file to the first that is not. Rejects when the file cannot be read. */
export async function readSegment(path: string): Promise<FoundSegment> {
  const file = await open(path, 'r');
  try {
    const { size: fileBytes } = await file.stat();
    const window = new Window(file, fileBytes);
    const records: FoundRecord[] = [];
    let offset = 0;
    while (offset < fileBytes) {
      const record = await readRecord(window, offset, fileBytes);
      if (record === undefined) return { records, fileBytes, tornAtBytes: offset };
      records.push(record);
      offset += record.recordBytes;
    }
    return { records, fileBytes, tornAtBytes: undefined };
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
    const target = Buffer.alloc(Math.min(Math.max(count, WINDOW_BYTES), this.fileBytes - offset));
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
