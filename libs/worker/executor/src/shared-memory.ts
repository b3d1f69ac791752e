/**
 * The memory a task thread shares with the main thread, in parts, each a class:
 *
 * - `RunClaims` settles between the two sides, without a message, whether a run starts or is skipped;
 * - `ResultRing` carries small results. They are readable the moment they are written, also from a thread that is busy
 *   with its next run or was ended in the middle of it, so that a finished task is never taken for a lost one;
 * - `ThreadReadings` (a file of its own) tells what the thread's heap and its decoded copies take.
 */
import type { Payload } from '@spillway/messages';
import { encodingAt, encodingIndex, isShared } from './pack.js';

/** Most runs in a thread, started or not. More wait on the main side. */
export const RUNS_IN_THREAD_MAX = 4096;
/** Run numbers go around here, so that number and state fit into one 32-bit cell. A multiple of the cells. */
export const SEQ_LIMIT = 2 ** 29;
/** Some 250 results of 4 KiB: what a thread finishes while the control loop is at something else for some 20 ms. */
const RING_BYTES = 1024 * 1024;

/** Two numbers of 64 bit, behind the positions of the ring. */
export const READINGS_OFFSET = 8;
const HEADER_BYTES = 24;
const CLAIMS_BYTES = RUNS_IN_THREAD_MAX * 4;
const RING_OFFSET = HEADER_BYTES + CLAIMS_BYTES;

export const makeThreadMemory = (): SharedArrayBuffer => new SharedArrayBuffer(RING_OFFSET + RING_BYTES);

const QUEUED = 0;
const STARTED = 1;
const SKIPPED = 2;

/**
 * One cell for each run in the thread. A cell holds the run's number beside its state: a cell may be used again while
 * a skipped run of long ago is still in the thread's queue, and that one then finds a number that is not its own.
 */
export class RunClaims {
  readonly #cells: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Int32Array(memory, HEADER_BYTES, RUNS_IN_THREAD_MAX);
  }

  /** Main side, before the run is posted. */
  queue(seq: number): void {
    Atomics.store(this.#cells, seq % RUNS_IN_THREAD_MAX, cellOf(seq, QUEUED));
  }

  /** Thread side: false when the run is not to start any more. */
  tryStart(seq: number): boolean {
    return this.#tryMove(seq, STARTED);
  }

  /** Main side: true when the run will never start; false when it has. */
  trySkip(seq: number): boolean {
    return this.#tryMove(seq, SKIPPED);
  }

  #tryMove(seq: number, to: number): boolean {
    const queued = cellOf(seq, QUEUED);
    return Atomics.compareExchange(this.#cells, seq % RUNS_IN_THREAD_MAX, queued, cellOf(seq, to)) === queued;
  }
}

const cellOf = (seq: number, state: number): number => (seq << 2) | state;

export interface RingResult {
  readonly seq: number;
  readonly durationMs: number;
  /** Data of its own, not in the ring. */
  readonly result: Payload;
}

/** A record: seq, encoding, length (32 bit each), four bytes of nothing, duration (64 bit), then the data. */
const RECORD_HEADER_BYTES = 24;
const GO_TO_START = -1;
const WRITTEN = 0;
const READ = 1;

/**
 * Records from the thread (the only writer) to the main side (the only reader). Invariant: positions are multiples of
 * eight below `RING_BYTES`; the ring is empty where they are equal, so it is never filled to the last record.
 */
export class ResultRing {
  readonly #positions: Int32Array;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    this.#positions = new Int32Array(memory, 0, 2);
    this.#words = new Int32Array(memory, RING_OFFSET, RING_BYTES / 4);
    this.#doubles = new Float64Array(memory, RING_OFFSET, RING_BYTES / 8);
    this.#bytes = new Uint8Array(memory, RING_OFFSET, RING_BYTES);
  }

  /** False when the result is in a shared buffer of its own, which is posted, or when there is no room. */
  tryWrite(seq: number, durationMs: number, { encoding, data }: Payload): boolean {
    if (isShared(data)) return false;
    const size = RECORD_HEADER_BYTES + Math.ceil(data.byteLength / 8) * 8;
    const at = this.#placeFor(size);
    if (at === undefined) return false;
    this.#words[at / 4] = seq;
    this.#words[at / 4 + 1] = encodingIndex(encoding);
    this.#words[at / 4 + 2] = data.byteLength;
    this.#doubles[at / 8 + 2] = durationMs;
    this.#bytes.set(data, at + RECORD_HEADER_BYTES);
    // Order matters: the position is published last, so the reader never sees half a record.
    Atomics.store(this.#positions, WRITTEN, (at + size) % RING_BYTES);
    return true;
  }

  #placeFor(size: number): number | undefined {
    const written = Atomics.load(this.#positions, WRITTEN);
    const read = Atomics.load(this.#positions, READ);
    if (written < read) return written + size < read ? written : undefined;
    const fitsAtEnd = written + size < RING_BYTES || (written + size === RING_BYTES && read > 0);
    if (fitsAtEnd) return written;
    if (size >= read) return undefined;
    this.#words[written / 4] = GO_TO_START;
    return 0;
  }

  /** The oldest record not read yet. */
  read(): RingResult | undefined {
    let at = Atomics.load(this.#positions, READ);
    if (at === Atomics.load(this.#positions, WRITTEN)) return undefined;
    if (this.#words[at / 4] === GO_TO_START) at = 0;
    const length = this.#words[at / 4 + 2] ?? 0;
    const start = at + RECORD_HEADER_BYTES;
    // A copy into ordinary memory, so that the store's sizes are exact and the ring is free again.
    const data = new Uint8Array(length);
    data.set(this.#bytes.subarray(start, start + length));
    const result: RingResult = {
      seq: this.#words[at / 4] ?? 0,
      durationMs: this.#doubles[at / 8 + 2] ?? 0,
      result: { encoding: encodingAt(this.#words[at / 4 + 1] ?? 0), data },
    };
    Atomics.store(this.#positions, READ, (start + Math.ceil(length / 8) * 8) % RING_BYTES);
    return result;
  }
}
