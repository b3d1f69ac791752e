/** Counters that the spill thread adds to and the main thread reads, in shared memory: nothing has to be sent. */
import type { SpillCounters } from '@spillway/ports';

const NAMES = [
  'writeCount',
  'writeBytes',
  'writeSeconds',
  'readCount',
  'readBytes',
  'readSeconds',
  'compressBytes',
  'compressSeconds',
  'decompressBytes',
  'decompressSeconds',
] as const satisfies readonly (keyof SpillCounters)[];
type Name = (typeof NAMES)[number];

/** Invariant: one thread adds; a reader may see the numbers of a moment ago. */
export class Tally {
  readonly #numbers: Float64Array;

  constructor(readonly memory = new SharedArrayBuffer(NAMES.length * Float64Array.BYTES_PER_ELEMENT)) {
    this.#numbers = new Float64Array(memory);
  }

  add(name: Name, amount: number): void {
    const index = NAMES.indexOf(name);
    this.#numbers[index] = (this.#numbers[index] ?? 0) + amount;
  }

  read(): SpillCounters {
    const entries = NAMES.map((name, index) => [name, this.#numbers[index] ?? 0]);
    return Object.fromEntries(entries) as Record<Name, number>;
  }
}
