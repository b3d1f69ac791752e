/**
 * What the worker's main thread and its spill thread say to each other. Bytes in shared buffers cross uncopied; those of
 * small values are packed into one of them (pack.ts). Counters are in shared memory (`disk/tally.ts`).
 */
import type { TaskKey } from '@spillway/kernel';
import { CODEC_NAMES } from '../disk/codec.js';
import type { SpillCompression } from '../disk/compression-choice.js';
import type { ReadBack, RecordPlaces, RecordPosition, ValueToWrite, Written } from '../disk/spill-disk.js';
import type { PackedValues } from './pack.js';

/** How the thread is started (`workerData`). */
export interface SpillThreadSettings {
  readonly folder: string;
  readonly leavesTo: string | undefined;
  readonly compression: SpillCompression;
  readonly tally: SharedArrayBuffer;
}

/** Records that lie side by side in one segment, in a few flat lists. */
export interface PackedPositions {
  readonly segment: number;
  /** Of the first. */
  readonly offset: number;
  readonly recordBytes: Uint32Array;
  /** Positions in CODEC_NAMES. */
  readonly codecs: Uint8Array;
}

/**
 * Main thread → spill thread. `write-small` is answered by `packed` (or `written`), `write-large` and `copy` by `written`,
 * `read` by `read-back`, `mark-dead` by `marked`.
 */
export type ToSpillThread =
  | { readonly type: 'write-small'; readonly id: number; readonly values: PackedValues }
  | { readonly type: 'write-large'; readonly id: number; readonly value: ValueToWrite }
  | { readonly type: 'copy'; readonly id: number; readonly positions: readonly RecordPosition[] }
  | { readonly type: 'read'; readonly id: number; readonly key: TaskKey; readonly position: RecordPosition }
  | { readonly type: 'mark-dead'; readonly id: number; readonly records: readonly RecordPlaces[] }
  | { readonly type: 'seal'; readonly segment: number }
  | { readonly type: 'delete'; readonly segment: number }
  /** Answered by `collected`. */
  | { readonly type: 'collect'; readonly id: number }
  /** Answered by `closed`, after all that was asked before. */
  | { readonly type: 'close'; readonly id: number };

/** Spill thread → main thread. */
export type FromSpillThread =
  | { readonly type: 'written'; readonly id: number; readonly results: readonly Written[] }
  | { readonly type: 'packed'; readonly id: number; readonly positions: PackedPositions }
  | { readonly type: 'read-back'; readonly id: number; readonly result: ReadBack }
  | { readonly type: 'marked'; readonly id: number; readonly isNoted: boolean }
  | { readonly type: 'collected'; readonly id: number }
  | { readonly type: 'closed'; readonly id: number };

/** `undefined` when not all of them were written, side by side. */
export function packPositions(results: readonly Written[]): PackedPositions | undefined {
  const [first] = results;
  if (first?.ok !== true) return undefined;
  const recordBytes = new Uint32Array(results.length);
  const codecs = new Uint8Array(results.length);
  let at = first.position.offset;
  for (const [index, result] of results.entries()) {
    if (!result.ok || result.position.offset !== at || result.position.isAlone) return undefined;
    recordBytes[index] = result.position.recordBytes;
    codecs[index] = CODEC_NAMES.indexOf(result.position.codec);
    at += result.position.recordBytes;
  }
  return { segment: first.position.segment, offset: first.position.offset, recordBytes, codecs };
}

export function unpackPositions({ segment, offset, recordBytes, codecs }: PackedPositions): Written[] {
  let at = offset;
  return Array.from(recordBytes, (bytes, index) => {
    const codec = CODEC_NAMES[codecs[index] ?? 0] ?? 'none';
    const position: RecordPosition = { segment, offset: at, recordBytes: bytes, codec, isAlone: false };
    at += bytes;
    return { ok: true, position };
  });
}
