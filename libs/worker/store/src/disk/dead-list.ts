/**
 * Which records of a segment are wanted no more: a file beside it with the offset of each (u32, little-endian), appended to
 * as they die, for whoever adopts the segment. Not in the records themselves: four bytes here and there dirty, and where it
 * is not cached read, a page for each of many small values.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { codeOf } from '@spillway/platform';

const ENTRY_BYTES = Uint32Array.BYTES_PER_ELEMENT;

/** The list of the segment at this path. */
export const deadListOf = (segmentPath: string): string => `${segmentPath}.dead`;

/** Throws the operating system's error; what was noted before stays. */
export function appendDead(path: string, offsets: Uint32Array): void {
  const fd = openSync(path, 'a', 0o600);
  try {
    const { size } = fstatSync(fd);
    // A disk that was full took a part of an entry.
    if (size % ENTRY_BYTES !== 0) ftruncateSync(fd, size - (size % ENTRY_BYTES));
    const bytes = new Uint8Array(offsets.buffer, offsets.byteOffset, offsets.byteLength);
    for (let done = 0; done < bytes.byteLength;) done += writeSync(fd, bytes, done);
  } finally {
    closeSync(fd);
  }
}

/** Empty where there is no list. Rejects where there is one that cannot be read: then nothing can be said of the segment. */
export async function readDead(path: string): Promise<ReadonlySet<number>> {
  const bytes = await readFile(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return new Uint8Array();
    throw error;
  });
  const count = Math.floor(bytes.byteLength / ENTRY_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return new Set(Array.from({ length: count }, (_, index) => view.getUint32(index * ENTRY_BYTES, true)));
}
