/** Which items of a big container are looked at: as many as `SAMPLE_COUNT_MAX`, one from each of as many equal parts. */

/** Containers of up to this many items are looked at whole. */
export const SAMPLE_COUNT_MAX = 100;

/** Steps of the golden ratio fall evenly and never in step with a pattern in the data; and they are the same each time. */
const GOLDEN_RATIO = 0.618_033_988_749_895;

/** Ascending indexes below `count`: all of them, or a sample. */
export function sampleIndexes(count: number): number[] {
  const sampleCount = Math.min(count, SAMPLE_COUNT_MAX);
  const partLength = count / sampleCount;
  return Array.from({ length: sampleCount }, (_, part) =>
    sampleCount === count ? part : Math.floor((part + ((part * GOLDEN_RATIO) % 1)) * partLength),
  );
}
