/** What the memory bench lets workers do: values of three kinds, made and reduced, and tasks that misbehave. */

const PIECE_BYTES = 64 * 1024;
const RECORD_COUNT = 10_000;
const CITIES = ['Lisbon', 'Oslo', 'Nairobi', 'Kyoto', 'Lima'];

/** A linear congruential generator: cheap, and no compressor makes its numbers smaller. */
function generator(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
}

export function numbers(seed: number, bytes: number): Float64Array {
  const values = new Float64Array(bytes / 8);
  const next = generator(seed);
  for (let at = 0; at < values.length; at++) values[at] = next() / 7;
  return values;
}

export function sum(values: Float64Array): number {
  let total = 0;
  for (let at = 0; at < values.length; at++) total += values[at]!;
  return total;
}

/** The first and the last number of each, so that every value is needed and little is computed. */
export function ends(arrays: readonly Float64Array[]): number {
  return arrays.reduce((total, values) => total + values[0]! + values.at(-1)!, 0);
}

export const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Rows as they come from a table or an API: 5 fields of 4 types. */
export function records(seed: number): object[] {
  const next = generator(seed);
  return Array.from({ length: RECORD_COUNT }, (_, index) => ({
    id: seed * RECORD_COUNT + index,
    name: `customer ${next() % 1_000_000}`,
    city: CITIES[(next() >>> 16) % CITIES.length],
    amount: (next() % 100_000) / 100,
    since: new Date(1_500_000_000_000 + (next() % 1_000_000_000)),
  }));
}

export function amounts(rows: readonly { readonly amount: number }[]): number {
  return rows.reduce((sumSoFar, { amount }) => sumSoFar + amount, 0);
}

/** As data that arrives in small pieces and is dropped again. */
export function receive(bytes: number): number {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes; at += PIECE_BYTES) pieces.push(Buffer.alloc(PIECE_BYTES, 1));
  return pieces.length;
}

const leaked: Buffer[] = [];

/** Lets process memory grow to so many bytes and keeps it there, after the task too. */
export function leakUntil(processBytes: number): number {
  while (process.memoryUsage.rss() < processBytes) leaked.push(Buffer.alloc(PIECE_BYTES, 1 + leaked.length));
  return leaked.length * PIECE_BYTES;
}

export const nothing = (): number => 1;
