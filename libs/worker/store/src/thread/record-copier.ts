/** Moves records that are still wanted out of segments that are mostly not: copies them as they are, checksums and all. */
import { Buffer } from 'node:buffer';
import { readSync } from 'node:fs';
import { DamagedRecordError, writeFailure } from '../disk/failure.js';
import type { RecordPosition, Written } from '../disk/spill-disk.js';
import type { Tally } from '../disk/tally.js';
import { positionIn } from './record-writer.js';
import { writeFully, type OpenSegment, type SegmentFiles } from './segment-files.js';
import { stopwatch } from './stopwatch.js';

/** Reads are served between two rounds of so many bytes. */
const ROUND_BYTES = 4 * 1024 * 1024;

export class RecordCopier {
  constructor(
    private readonly files: SegmentFiles,
    private readonly tally: Tally,
  ) {}

  *copy(positions: readonly RecordPosition[]): Generator<undefined, readonly Written[]> {
    const results: Written[] = [];
    let sinceYieldBytes = 0;
    for (const position of positions) {
      results.push(this.#copyOne(position));
      sinceYieldBytes += position.recordBytes;
      if (sinceYieldBytes < ROUND_BYTES) continue;
      sinceYieldBytes = 0;
      yield;
    }
    return results;
  }

  #copyOne(position: RecordPosition): Written {
    let file: OpenSegment | undefined;
    try {
      const record = this.#read(position);
      file = this.files.forAppending(record.length, false);
      const seconds = stopwatch();
      writeFully(file.fd, record, file.sizeBytes);
      this.tally.add('writeBytes', record.length);
      this.tally.add('writeSeconds', seconds());
      const moved = positionIn(file, file.sizeBytes, record.length, position.codec);
      this.files.finish(file, file.sizeBytes + record.length);
      return { ok: true, position: moved };
    } catch (error) {
      if (file !== undefined) this.files.abandon(file);
      return { ok: false, ...writeFailure(error) };
    }
  }

  #read({ segment, offset, recordBytes }: RecordPosition): Buffer {
    const record = Buffer.allocUnsafe(recordBytes);
    let done = 0;
    while (done < recordBytes) {
      const count = readSync(this.files.fdOf(segment), record, done, recordBytes - done, offset + done);
      if (count === 0)
        throw new DamagedRecordError(`byte ${offset} of segment ${segment}`, 'the file ends early');
      done += count;
    }
    return record;
  }
}
