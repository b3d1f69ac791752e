import { spillway } from '@spillway/proto';
import { InvalidArgumentError } from '@spillway/kernel';
import { decodeWire } from './decoding.js';

const { FetchValuesRequest } = spillway.v1;

const KEYS_TAG = 10;
const requestOf = (keyBytes: readonly number[]): Buffer =>
  Buffer.from([KEYS_TAG, keyBytes.length, ...keyBytes]);

describe('text on the wire', () => {
  it.each([
    '',
    'a',
    'sum-3f9c1a-1k',
    'schlüssel €',
    '\u{1d11e}',
    '\ufeffmark',
    '\ufffd',
    `${'x'.repeat(5000)}é`,
  ])('arrives as it was sent: %s', (key) => {
    const bytes = FetchValuesRequest.encode(FetchValuesRequest.create({ keys: [key] })).finish();

    expect(decodeWire(FetchValuesRequest, bytes).keys).toEqual([key]);
  });

  it.each([
    ['a byte that begins nothing', [0xff]],
    ['a character cut short', [0x61, 0xc3]],
    ['half of a surrogate pair', [0xed, 0xa0, 0x80]],
    ['a replacement character beside a wrong byte', [0xef, 0xbf, 0xbd, 0xff]],
  ])('is refused when it is not UTF-8: %s', (_what, keyBytes) => {
    expect(() => decodeWire(FetchValuesRequest, requestOf(keyBytes))).toThrow(InvalidArgumentError);
  });
});
