import { GiB, MiB } from './fixture-trees.spec-d.js';
import { heapCaps, mainHeapOption } from './heap-caps.js';

test.each([
  ['a thread may fill the worker, less what the worker takes when idle', 512 * MiB, 1, 256, 420, 16],
  ['other threads take something too', 512 * MiB, 3, 256, 392, 5],
  ['with many threads each may still have half', 512 * MiB, 64, 256, 256, 4],
  ['a large worker', 64 * GiB, 8, 32 * 1024, 64 * 1024 - 92 - 7 * 14, 48],
  ['a small worker', 96 * MiB, 1, 64, 48, 4],
  ['what is too small to work at all still lets the isolates start', 2, 1, 64, 32, 4],
])('%s', (_name, limitBytes, nthreads, mainMib, threadMib, youngMib) => {
  expect(heapCaps(limitBytes, nthreads)).toEqual({
    mainOldSpaceBytes: mainMib * MiB,
    threadOldSpaceBytes: threadMib * MiB,
    threadYoungSpaceBytes: youngMib * MiB,
  });
});

test('a thread at its cap has driven the process to its limit, so that who watches process memory comes first', () => {
  for (const limitBytes of [256 * MiB, 1 * GiB, 4 * GiB, 64 * GiB])
    expect(heapCaps(limitBytes, 1).threadOldSpaceBytes + 92 * MiB).toBe(limitBytes);
});

test('the option for the main isolate is in whole mebibytes, as V8 reads it', () => {
  expect(mainHeapOption(heapCaps(301.5 * MiB, 1))).toBe('--max-old-space-size=150');
});
