/**
 * What a thread says of its memory, in the memory it shares with the main thread: readable at any time, also while the
 * thread is busy, and then as old as the start of what it is busy with.
 */
import { READINGS_OFFSET } from './shared-memory.js';

const HEAP_UNUSED = 0;
const CACHED = 1;
const READING_COUNT = 2;

export class ThreadReadings {
  readonly #numbers: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#numbers = new Float64Array(memory, READINGS_OFFSET, READING_COUNT);
  }

  /** Committed by the thread's heap, and not used. */
  get heapUnusedBytes(): number {
    return this.#numbers[HEAP_UNUSED] ?? 0;
  }

  set heapUnusedBytes(bytes: number) {
    this.#numbers[HEAP_UNUSED] = bytes;
  }

  /** Decoded copies, by `sizeof`. */
  get cachedBytes(): number {
    return this.#numbers[CACHED] ?? 0;
  }

  set cachedBytes(bytes: number) {
    this.#numbers[CACHED] = bytes;
  }
}
