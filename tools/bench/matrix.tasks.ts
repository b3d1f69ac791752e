/** The graph of the fault matrix, and what is wrong with its workers. */

const PIECE_BYTES = 64 * 1024;

/** Whole numbers of the seed, so that sums are exact in any order. */
export function leaf(seed: number, length: number): Float64Array {
  return new Float64Array(length).map((_, index) => (seed * 31 + index) % 1009);
}

export function add(arrays: readonly Float64Array[]): Float64Array {
  const [first, ...others] = arrays;
  const sum = first!.slice();
  for (const other of others) for (let at = 0; at < sum.length; at++) sum[at]! += other[at]!;
  return sum;
}

export const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);

const leaked: Buffer[] = [];

/** Lets process memory grow to so many bytes and keeps it there, after the task too. */
export function leakUntil(processBytes: number): number {
  while (process.memoryUsage.rss() < processBytes) leaked.push(Buffer.alloc(PIECE_BYTES, 1 + leaked.length));
  return leaked.length;
}
