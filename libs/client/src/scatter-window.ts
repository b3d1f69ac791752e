/** Works on the values of an iterable, several at a time, within a bound on their number and on their bytes. */

export interface WindowedWork<T, R> {
  /** Most values under way. */
  readonly countMax: number;
  /** Most bytes under way, as far as is known before they are encoded; a single larger value goes alone. */
  readonly bytesMax: number;
  readonly bytesOf: (value: T) => number;
  readonly work: (value: T) => Promise<R>;
}

/**
 * The results, in order. A value is taken only when the one before it is under way. The first failure is the outcome:
 * nothing more is taken then.
 */
export async function inWindow<T, R>(values: Iterable<T>, options: WindowedWork<T, R>): Promise<R[]> {
  const { countMax, bytesMax, bytesOf, work } = options;
  const results: Promise<R>[] = [];
  const underWay = new Set<Promise<unknown>>();
  let bytesUnderWay = 0;
  let failureCount = 0;
  for (const value of values) {
    const bytes = bytesOf(value);
    while (underWay.size > 0 && (underWay.size >= countMax || bytesUnderWay + bytes > bytesMax)) {
      await Promise.race(underWay);
    }
    if (failureCount > 0) break;
    bytesUnderWay += bytes;
    const result = work(value);
    results.push(result);
    // Settles and never rejects: a failure is told by the results, also when the source throws before they are looked at.
    const settled = result
      .catch(() => {
        failureCount += 1;
      })
      .finally(() => {
        underWay.delete(settled);
        bytesUnderWay -= bytes;
      });
    underWay.add(settled);
  }
  return Promise.all(results);
}
