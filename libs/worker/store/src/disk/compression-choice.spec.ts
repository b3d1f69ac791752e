import { CODECS } from './codec.js';
import { CompressionChoice, Throughput } from './compression-choice.js';
import { noise, shrinkable } from '../testing/spill-rig.js';

const MB = 1_000_000;
const text = shrinkable(200_000).data;

/** A codec that takes a millisecond for each sample of 50 kB: 50 MB/s. */
function choose(data: Uint8Array, diskBytesPerSecond: number | undefined): string {
  let nowMs = 0;
  return new CompressionChoice('auto', { bytesPerSecond: diskBytesPerSecond }, () => nowMs++).codecFor(data);
}

test('auto compresses what shrinks, where the disk is slower than the codec', () => {
  expect(choose(text, 20 * MB)).toBe('brotli');
});

test('auto does not compress where the disk is faster, or nothing is known of it yet', () => {
  expect(choose(text, 1000 * MB)).toBe('none');
  expect(choose(text, undefined)).toBe('none');
});

test('auto does not compress what does not shrink, nor what is small', () => {
  expect(choose(noise(200_000).data, 20 * MB)).toBe('none');
  expect(choose(text.subarray(0, 9_000), 20 * MB)).toBe('none');
});

test('on a disk known to be much faster than the codec no more samples are taken', () => {
  let sampleCount = 0;
  let nowMs = 0;
  const disk = { bytesPerSecond: 20 * MB };
  const choice = new CompressionChoice('auto', disk, () => (sampleCount++, nowMs++));
  choice.codecFor(text);
  const before = sampleCount;
  disk.bytesPerSecond = 1000 * MB;
  choice.codecFor(text);
  expect(sampleCount).toBe(before);
});

test('off is off, and a name is taken at its word', () => {
  const slow = { bytesPerSecond: 1 };
  expect(new CompressionChoice(false, slow, () => 0).codecFor(text)).toBe('none');
  expect(new CompressionChoice('gzip', { bytesPerSecond: Infinity }, () => 0).codecFor(text)).toBe('gzip');
});

test.each(['gzip', 'brotli'] as const)('%s gives back what it was given, also from shared memory', (name) => {
  const codec = CODECS[name];
  const stored = codec.compress(text);
  expect(stored.byteLength).toBeLessThan(text.byteLength / 2);
  expect(Buffer.compare(codec.decompress(stored, text.byteLength), text)).toBe(0);
  expect(() => codec.decompress(stored, text.byteLength - 1)).toThrow();
});

test('a speed is known once enough was seen, and the recent past counts most', () => {
  const speed = new Throughput(10, 100);
  speed.add(9, 1);
  expect(speed.bytesPerSecond).toBeUndefined();
  speed.add(1, 0);
  expect(speed.bytesPerSecond).toBe(10);
  for (let count = 0; count < 50; count++) speed.add(20, 0.1);
  expect(speed.bytesPerSecond).toBeCloseTo(200, 0);
});
