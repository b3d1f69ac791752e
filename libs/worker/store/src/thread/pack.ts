/**
 * Many small values in one piece of shared memory, on their way to the spill thread: cloning an object for each would
 * cost more than writing it. The memory is used again and again, as memory that is new to a process costs more than
 * copying into it.
 *
 * First comes a table, of two numbers for each value: how many bytes it has, and its encoding. The values follow, each
 * at a whole word, which is what copying into shared memory is fast for.
 */
import { ENCODINGS } from '@spillway/messages';
import { must, type TaskKey } from '@spillway/kernel';
import { WRITE_BYTES_MAX, WRITE_COUNT_MAX, type ValueToWrite } from '../disk/spill-disk.js';

export interface PackedValues {
  readonly keys: readonly TaskKey[];
  readonly memory: SharedArrayBuffer;
}

const WORD_BYTES = 8;
const ENTRY_BYTES = 8;
const POOLED_BYTES = WRITE_BYTES_MAX + WRITE_COUNT_MAX * (ENTRY_BYTES + WORD_BYTES);
/** As many as are with the thread at a time. */
const POOLED_COUNT_MAX = 4;

const wholeWords = (byteCount: number): number => Math.ceil(byteCount / WORD_BYTES) * WORD_BYTES;

/** Copies the bytes. Requires: `giveBack` once the thread has answered. */
export class Packs {
  readonly #free: SharedArrayBuffer[] = [];

  pack(values: readonly ValueToWrite[]): PackedValues {
    let at = values.length * ENTRY_BYTES;
    const memory = this.#take(
      values.reduce((sum, { payload }) => sum + wholeWords(payload.data.byteLength), at),
    );
    const table = new Uint32Array(memory, 0, values.length * 2);
    const bytes = new Uint8Array(memory);
    for (const [index, { payload }] of values.entries()) {
      table[index * 2] = payload.data.byteLength;
      table[index * 2 + 1] = ENCODINGS.indexOf(payload.encoding);
      bytes.set(payload.data, at);
      at += wholeWords(payload.data.byteLength);
    }
    return { keys: values.map(({ key }) => key), memory };
  }

  giveBack({ memory }: PackedValues): void {
    if (memory.byteLength === POOLED_BYTES && this.#free.length < POOLED_COUNT_MAX) this.#free.push(memory);
  }

  #take(byteCount: number): SharedArrayBuffer {
    if (byteCount > POOLED_BYTES) return new SharedArrayBuffer(byteCount);
    return this.#free.pop() ?? new SharedArrayBuffer(POOLED_BYTES);
  }
}

/** The packed values as views into the pack. */
export function unpack({ keys, memory }: PackedValues): ValueToWrite[] {
  const table = new Uint32Array(memory, 0, keys.length * 2);
  let at = keys.length * ENTRY_BYTES;
  return keys.map((key, index) => {
    const length = table[index * 2] ?? 0;
    const data = new Uint8Array(memory, at, length);
    at += wholeWords(length);
    const encoding = must(ENCODINGS[table[index * 2 + 1] ?? 0], 'encoding of a packed value');
    return { key, payload: { encoding, data } };
  });
}
