import { GiB, MiB } from './fixture-trees.spec-d.js';
import { resolveMemoryLimit, type Sharing } from './memory-limit.js';

const alone: Sharing = {
  workers: 1,
  nthreads: 2,
  cores: 8,
  totalBytes: 16 * GiB,
  isCgroupLimited: false,
  nannyReserveBytes: 0,
};
const auto = { kind: 'auto' } as const;

describe('auto', () => {
  test.each<[string, Partial<Sharing>, number]>([
    ['total × nthreads ÷ cores', {}, 4 * GiB],
    ['more threads than cores: the whole', { nthreads: 16 }, 16 * GiB],
    ['the workers of a nanny share by their threads together', { workers: 2 }, 4 * GiB],
    ['more threads in all than cores: equal parts', { workers: 4, nthreads: 8 }, 4 * GiB],
    ['without the reserve of the nanny', { nannyReserveBytes: 1 * GiB, nthreads: 8 }, 15 * GiB],
    ['the reserve is taken off before the shares', { nannyReserveBytes: 8 * GiB, workers: 2 }, 2 * GiB],
    ['a container is ours alone, whatever cores there are', { isCgroupLimited: true }, 16 * GiB],
    ['a container, in equal parts', { isCgroupLimited: true, workers: 4, nthreads: 1 }, 4 * GiB],
    [
      'a small container: the reserve is at most half',
      { isCgroupLimited: true, totalBytes: 128 * MiB, nannyReserveBytes: 128 * MiB },
      64 * MiB,
    ],
    ['parts are whole bytes', { totalBytes: 1000, workers: 3, nthreads: 8 }, 333],
    ['even of next to nothing there is a limit', { totalBytes: 1, workers: 3, nthreads: 8 }, 1],
  ])('%s', (_name, sharing, limitBytes) => {
    expect(resolveMemoryLimit(auto, { ...alone, ...sharing })).toEqual({ limitBytes });
  });

  test('the workers of one nanny never get more than there is', () => {
    for (const workers of [1, 2, 3, 5, 64])
      for (const nthreads of [1, 2, 7])
        for (const isCgroupLimited of [true, false]) {
          const sharing = { ...alone, workers, nthreads, isCgroupLimited, nannyReserveBytes: 128 * MiB };
          const { limitBytes } = resolveMemoryLimit(auto, sharing);
          expect(workers * Number(limitBytes)).toBeLessThanOrEqual(alone.totalBytes - 128 * MiB);
        }
  });
});

describe('what is written', () => {
  test('none is no limit', () => {
    expect(resolveMemoryLimit({ kind: 'off' }, alone)).toEqual({ limitBytes: false });
  });

  test('bytes are bytes, whatever threads and reserve there are', () => {
    const written = { kind: 'bytes', bytes: 4e9 } as const;
    expect(resolveMemoryLimit(written, { ...alone, nannyReserveBytes: 8 * GiB })).toEqual({
      limitBytes: 4e9,
    });
  });

  test('a fraction is of all there is', () => {
    expect(resolveMemoryLimit({ kind: 'fraction', fraction: 0.5 }, alone)).toEqual({ limitBytes: 8 * GiB });
    expect(resolveMemoryLimit({ kind: 'fraction', fraction: 1 }, alone)).toEqual({ limitBytes: 16 * GiB });
  });

  test('a fraction of less than a byte is not taken for no limit', () => {
    expect(resolveMemoryLimit({ kind: 'fraction', fraction: 1e-12 }, alone)).toEqual({ limitBytes: 1 });
  });

  test('more than there is comes to what there is, with a warning', () => {
    expect(resolveMemoryLimit({ kind: 'bytes', bytes: 1e15 }, alone)).toEqual({
      limitBytes: 16 * GiB,
      warning: { kind: 'clamped', writtenBytes: 1e15, totalBytes: 16 * GiB },
    });
  });

  test.each([
    ['bytes', { kind: 'bytes', bytes: 9 * GiB }],
    ['fractions', { kind: 'fraction', fraction: 0.5625 }],
  ] as const)('%s that are more than there is all together stand, with a warning', (_name, written) => {
    expect(resolveMemoryLimit(written, { ...alone, workers: 2 })).toEqual({
      limitBytes: 9 * GiB,
      warning: { kind: 'overcommitted', sumBytes: 18 * GiB, totalBytes: 16 * GiB },
    });
  });
});
