import { checksum } from '@spillway/values';
import { CODECS, type CodecName } from './codec.js';
import { CompressionChoice, Throughput } from './compression-choice.js';
import { openPiece } from './piece.js';
import { noise, shrinkable } from '../testing/spill-rig.js';

const MB = 1_000_000;
const text = shrinkable(200_000).data;

/** A codec that takes a millisecond for each sample of 50 kB: 50 MB/s. */
function choose(data: Uint8Array, diskBytesPerSecond: number | undefined): string {
  let nowMs = 0;
  return new CompressionChoice('auto', { bytesPerSecond: diskBytesPerSecond }, () => nowMs++).codecFor(data);
}

test('auto compresses what shrinks, where the disk takes longer for what is saved than the codec for all of it', () => {
  expect(choose(text, 20 * MB)).toBe('lz4');
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

test('auto does not compress where the disk is slower than the codec, but what is saved is not worth it', () => {
  const data = noise(50_000).data.fill(0, 0, 25_000);
  expect(choose(data, 40 * MB)).toBe('none');
  expect(choose(data, 10 * MB)).toBe('lz4');
});

describe.each(['gzip', 'brotli', 'lz4'] as const)('%s', (name) => {
  const codec = CODECS[name];

  test('gives back what it was given, also from shared memory, and from the middle of it', () => {
    for (const raw of [text, new Uint8Array(text), text.subarray(1_001, 90_000)]) {
      const stored = codec.compress(raw);
      expect(stored.byteLength).toBeLessThan(raw.byteLength / 2);
      expect(Buffer.compare(codec.decompress(stored, raw.byteLength), raw)).toBe(0);
    }
  });

  test('throws for bytes that come to another length than they should', () => {
    const stored = codec.compress(text);
    expect(() => codec.decompress(stored, text.byteLength - 1)).toThrow();
    expect(() => openedPiece(name, stored, text.byteLength + 1)).toThrow('damaged');
  });

  test('throws for bytes that are cut short, or are no compressed ones', () => {
    const stored = codec.compress(text);
    for (const wrong of [stored.subarray(0, 2), stored.subarray(0, stored.byteLength / 2), noise(500).data])
      expect(() => openedPiece(name, wrong, text.byteLength)).toThrow('damaged');
  });
});

/** As it is opened from disk, where its checksum is right. */
function openedPiece(codec: CodecName, stored: Uint8Array, rawBytes: number): Uint8Array {
  const pieces = [{ storedBytes: stored.byteLength, checksum: checksum(stored) }];
  const header = { key: 'x', encoding: 'bytes', codec, rawBytes, pieceBytes: rawBytes, pieces } as const;
  const raw = openPiece(header, 0, stored);
  if (raw === undefined) throw new Error('damaged');
  return raw;
}

test.each([0, 2 ** 32 - 1, 200_001])('lz4 makes no room for a length of %i that lies', (claimed) => {
  const stored = Buffer.from(CODECS.lz4.compress(text));
  stored.writeUInt32LE(claimed, 0);
  expect(() => CODECS.lz4.decompress(stored, text.byteLength)).toThrow('does not claim');
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
