import fc from 'fast-check';
import { formatBytes, parseBytes } from './bytes.js';
import { formatDuration, parseDuration } from './durations.js';
import { SETTINGS } from './settings.js';

const anyCount = fc.oneof(fc.maxSafeNat(), fc.nat(), fc.nat(4096));

test('bytes that were written down are read back as the same number', () => {
  fc.assert(
    fc.property(anyCount, (count) => {
      expect(parseBytes(formatBytes(count))).toBe(count);
    }),
  );
});

test('a round size in any unit survives being written down', () => {
  const unit = fc.constantFrom('kB', 'KiB', 'MB', 'MiB', 'GB', 'GiB', 'TB', 'TiB');
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4000 }), unit, (count, name) => {
      const bytes = parseBytes(`${count / 4} ${name}`);
      expect(bytes).toBeDefined();
      expect(parseBytes(formatBytes(bytes ?? NaN))).toBe(bytes);
    }),
  );
});

test('durations that were written down are read back as the same number', () => {
  fc.assert(
    fc.property(anyCount, (count) => {
      expect(parseDuration(formatDuration(count))).toBe(count);
    }),
  );
});

test('what is right is not right any more with garbage behind it', () => {
  const garbage = fc.stringMatching(/^[%,;:!?xyz#()\-+][ -~]*$/);
  fc.assert(
    fc.property(fc.nat(), garbage, (count, tail) => {
      expect(parseBytes(`${formatBytes(count)}${tail}`)).toBeUndefined();
      expect(parseDuration(`${formatDuration(count)}${tail}`)).toBeUndefined();
    }),
  );
});

test('no text, however strange, gives anything but a whole number or a refusal', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[0-9eE.+\- kKmMgGiIbBsShH]*$/));
  fc.assert(
    fc.property(text, (written) => {
      for (const value of [parseBytes(written), parseDuration(written)]) {
        expect(value === undefined || (Number.isSafeInteger(value) && value >= 0)).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});

test('whatever a setting accepts, it reads back from the text it writes', () => {
  const written = fc.oneof(
    fc.string(),
    fc.nat(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom(
      'auto',
      'none',
      'false',
      '4 GiB',
      '0.5',
      '2s',
      '1h 30m',
      '8786',
      'debug',
      'a=b',
      'x=1 GiB',
    ),
    fc.dictionary(fc.string(), fc.string()),
  );
  fc.assert(
    fc.property(fc.constantFrom(...SETTINGS), written, (setting, raw) => {
      const parsed = setting.parse(raw);
      if (parsed.ok) expect(setting.parse(setting.format(parsed.value))).toEqual(parsed);
    }),
    { numRuns: 5000 },
  );
});
