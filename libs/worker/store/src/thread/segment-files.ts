/**
 * The files of one spill folder as the spill thread sees them: which one is appended to, and which are open. Synchronous
 * throughout. What is in a file is not known here; which files are still wanted is known on the main thread.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '@spillway/platform';
import { appendDead, deadListOf } from '../disk/dead-list.js';
import { SegmentUnlinkedError } from '../disk/failure.js';
import type { RecordPlaces } from '../disk/spill-disk.js';
import { OpenFiles } from './open-files.js';

/** Segments are closed at this size. */
const SEGMENT_BYTES = 64 * 1024 * 1024;
/** A larger value has a file of its own. */
export const ALONE_BYTES = SEGMENT_BYTES / 4;

const NAME = /^(\d{10})\.segment$/;
export const segmentPath = (folder: string, segment: number): string =>
  join(folder, `${String(segment).padStart(10, '0')}.segment`);

/** The number of a segment by the name of its file; `undefined` for other files. */
export function segmentOfName(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** A file that is appended to. `sizeBytes`: what is valid in it. */
export interface OpenSegment {
  readonly segment: number;
  readonly fd: number;
  readonly isAlone: boolean;
  sizeBytes: number;
}

export class SegmentFiles {
  readonly #reading: OpenFiles;
  #shared: OpenSegment | undefined;
  #nextSegment: number;

  constructor(
    private readonly folder: string,
    /** Makes the folder again when it has gone. */
    private readonly restoreFolder: () => void,
  ) {
    this.#reading = new OpenFiles((segment) => segmentPath(folder, segment));
    this.#nextSegment = 1 + Math.max(0, ...existingSegments(folder));
  }

  /** Where to append so many bytes. Requires: `finish` or `abandon` after it. */
  forAppending(bytesMax: number, isAlone: boolean): OpenSegment {
    if (isAlone) return this.#create(true);
    if (this.#shared !== undefined && this.#shared.sizeBytes + bytesMax > SEGMENT_BYTES) this.#closeShared();
    this.#shared ??= this.#create(false);
    return this.#shared;
  }

  /** What was appended is whole. Throws when the file is no longer in its folder; then it is to be abandoned. */
  finish(file: OpenSegment, sizeBytes: number): void {
    if (fstatSync(file.fd).nlink === 0)
      throw new SegmentUnlinkedError(segmentPath(this.folder, file.segment));
    file.sizeBytes = sizeBytes;
    if (file.isAlone) closeSync(file.fd);
  }

  /** What was appended is not whole, or not there for others to find: takes it back. */
  abandon(file: OpenSegment): void {
    if (file.isAlone) {
      closeSync(file.fd);
      this.delete(file.segment);
    } else if (fstatSync(file.fd).nlink === 0) {
      // It can be read for as long as it is open: its older records are not lost yet.
      this.#reading.keep(file.segment, file.fd);
      this.#shared = undefined;
    } else this.#takeBack(file);
  }

  /** For reading; belongs to this object. */
  fdOf(segment: number): number {
    return segment === this.#shared?.segment ? this.#shared.fd : this.#reading.fdOf(segment);
  }

  /** The next small record goes to another one. */
  seal(segment: number): void {
    if (segment === this.#shared?.segment) this.#closeShared();
  }

  /** False when it could not be noted. */
  markDead({ segment, offsets }: RecordPlaces): boolean {
    try {
      appendDead(deadListOf(segmentPath(this.folder, segment)), offsets);
      return true;
    } catch (error) {
      // Without a folder there is nothing that could be adopted.
      return codeOf(error) === 'ENOENT';
    }
  }

  delete(segment: number): void {
    this.seal(segment);
    this.#reading.close(segment);
    const path = segmentPath(this.folder, segment);
    try {
      // Order matters: without its list, what is dead in it would pass for live.
      rmSync(path, { force: true });
      rmSync(deadListOf(path), { force: true });
    } catch {
      // A disk that has become read-only. The folder is removed as a whole later.
    }
  }

  close(): void {
    this.#closeShared();
    this.#reading.closeAll();
  }

  #create(isAlone: boolean): OpenSegment {
    const segment = this.#nextSegment++;
    const path = segmentPath(this.folder, segment);
    return { segment, isAlone, fd: this.#open(path), sizeBytes: 0 };
  }

  #open(path: string): number {
    try {
      return openSync(path, 'wx+', 0o600);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      this.restoreFolder();
      return openSync(path, 'wx+', 0o600);
    }
  }

  #takeBack(file: OpenSegment): void {
    try {
      ftruncateSync(file.fd, file.sizeBytes);
    } catch {
      // Whatever stands behind the valid part must not be appended to.
      this.#closeShared();
    }
  }

  #closeShared(): void {
    if (this.#shared !== undefined) closeSync(this.#shared.fd);
    this.#shared = undefined;
  }
}

/** Writes all of the bytes: a call may write less than it was asked to. */
export function writeFully(fd: number, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.byteLength)
    done += writeSync(fd, bytes, done, bytes.byteLength - done, position + done);
}

function existingSegments(folder: string): number[] {
  try {
    return readdirSync(folder).flatMap((name) => segmentOfName(name) ?? []);
  } catch {
    return [];
  }
}
