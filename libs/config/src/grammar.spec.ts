import { formatBytes, parseBytes } from './bytes.js';
import { formatDuration, parseDuration } from './durations.js';

describe('bytes', () => {
  test.each([
    ['4 GiB', 4 * 1024 ** 3],
    ['4GB', 4e9],
    ['4g', 4e9],
    ['4k', 4000],
    ['4Ki', 4096],
    ['4 gib', 4 * 1024 ** 3],
    ['2e3 MB', 2e9],
    ['512MiB', 512 * 1024 ** 2],
    [' 1000 ', 1000],
    ['1e9', 1e9],
    ['.5 kB', 500],
    ['1.005 kB', 1005],
    ['1.5', 1],
    ['0.0GB', 0],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('reads %j', (text, expected) => {
    expect(parseBytes(text)).toBe(expected);
  });

  test.each([
    '',
    ' ',
    'MB',
    '4 GiBs',
    '4 iB',
    '50%',
    '-1',
    '+1',
    'nan',
    'inf',
    '4 G iB',
    '4,000',
    '0x10',
    '1..5',
    '1e',
    '10 EB',
    '4 000 MB',
    '1e999',
  ])('refuses %j', (text) => {
    expect(parseBytes(text)).toBeUndefined();
  });

  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [50e6, '50 MB'],
    [4 * 1024 ** 3, '4 GiB'],
  ])('writes %d in the largest exact unit', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('durations', () => {
  test.each([
    ['200ms', 200],
    ['5 minutes', 300_000],
    ['1h 30m', 5_400_000],
    ['1h30m', 5_400_000],
    ['2s', 2000],
    ['1.5 s', 1500],
    ['1 day', 86_400_000],
    ['0', 0],
    ['0s', 0],
  ])('reads %j', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  test.each([
    '',
    '200',
    '5 parsecs',
    '-5s',
    '2s!',
    '30m 1h',
    '5s 5s',
    's',
    '1h and',
    '.',
    '0.2ms',
    '1e3s',
    'auto',
    'NaN',
  ])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test('are written with each unit once, from large to small', () => {
    expect(formatDuration(90_061_001)).toBe('1d 1h 1m 1s 1ms');
    expect(formatDuration(0)).toBe('0ms');
  });
});
