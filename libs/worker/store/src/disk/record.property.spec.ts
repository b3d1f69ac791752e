import fc from 'fast-check';
import { ENCODINGS } from '@spillway/messages';
import { CODEC_NAMES } from './codec.js';
import { decodeHeader, encodeHeader, parsePrefix, storedBytesOf, type RecordHeader } from './record.js';

const HEADER: fc.Arbitrary<RecordHeader> = fc
  .record({
    key: fc.string({ unit: 'grapheme', minLength: 0, maxLength: 50 }),
    encoding: fc.constantFrom(...ENCODINGS),
    codec: fc.constantFrom(...CODEC_NAMES),
    pieceBytes: fc.integer({ min: 1, max: 2 ** 20 }),
    pieces: fc.array(
      fc.record({ storedBytes: fc.nat(2 ** 20), checksum: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
      { maxLength: 20 },
    ),
  })
  .map((header) => ({
    ...header,
    rawBytes: header.pieces.length * header.pieceBytes,
    pieces: header.pieces.map((piece) => ({
      ...piece,
      storedBytes: Math.min(piece.storedBytes, header.pieceBytes),
    })),
  }));

test('a header reads back as it was written, also with other bytes behind it', () => {
  fc.assert(
    fc.property(HEADER, fc.uint8Array({ maxLength: 30 }), (header, behind) => {
      const bytes = encodeHeader(header);
      expect(decodeHeader(Buffer.concat([bytes, behind]))).toEqual(header);
      expect(parsePrefix(bytes)).toEqual({
        headerBytes: bytes.length,
        recordBytes: bytes.length + storedBytesOf(header.pieces),
      });
    }),
  );
});

test('a header of which any bit has changed, or that is cut short, is none', () => {
  fc.assert(
    fc.property(HEADER, fc.nat(), fc.nat(7), fc.nat(), (header, at, bit, cutTo) => {
      const bytes = encodeHeader(header);
      const flipped = Buffer.from(bytes);
      flipped[at % bytes.length]! ^= 1 << bit;
      expect(decodeHeader(flipped)).toBeUndefined();
      expect(decodeHeader(bytes.subarray(0, cutTo % bytes.length))).toBeUndefined();
    }),
  );
});

test('whatever bytes there are, reading them as a header ends', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const withMagic = Buffer.concat([encodeHeader(EMPTY).subarray(0, 8), bytes]);
      for (const text of [Buffer.from(bytes), withMagic]) expect(decodeHeader(text)).toBeUndefined();
    }),
  );
});

test('a header that would have its reader hold more than a piece is none', () => {
  const piece = { storedBytes: 2 ** 20, checksum: 0n };
  const header = { ...EMPTY, rawBytes: 2 ** 20, pieceBytes: 2 ** 20, pieces: [piece] };
  expect(decodeHeader(encodeHeader(header))).toEqual(header);
  expect(decodeHeader(encodeHeader({ ...header, pieceBytes: 2 ** 20 + 1 }))).toBeUndefined();
  expect(decodeHeader(encodeHeader({ ...header, pieces: [{ ...piece, storedBytes: 2 ** 20 + 1 }] }))).toBe(
    undefined,
  );
});

const EMPTY: RecordHeader = {
  key: '',
  encoding: 'v8',
  codec: 'none',
  rawBytes: 0,
  pieceBytes: 1,
  pieces: [],
};
