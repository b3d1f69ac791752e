/** Keys of a worker are any text of 1 to 1024 UTF-16 code units: they are no names of files. */
import { expectKeys, expectNothing, expectValue, patternBytes, type Rule } from '../rule.js';

/** Longest key, in UTF-16 code units. */
const KEY_LENGTH_MAX = 1024;

const ODD_KEYS: readonly string[] = [
  'sum',
  'SUM',
  ' sum',
  'sum ',
  'sum.',
  'caf\u00e9',
  'cafe\u0301',
  '漢字',
  '🦊',
  '.',
  '..',
  '../sum',
  '/etc/passwd',
  'C:\\sum',
  'a/b',
  'a%2Fb',
  'a\0b',
  '\0',
  '\n',
  '*',
  'con',
  '__proto__',
  'constructor',
  '{"json":1}',
];

export const KEY_RULES: readonly Rule[] = [
  {
    sentence: 'Any text is a key of its own: other cases, other scripts, paths, control characters.',
    async check(container) {
      for (const key of ODD_KEYS) await expectNothing(container, key);
      for (const [seed, key] of ODD_KEYS.entries()) await container.set(key, patternBytes(20 + seed, seed));
      for (const [seed, key] of ODD_KEYS.entries())
        await expectValue(container, key, patternBytes(20 + seed, seed));
      await expectKeys(container, ODD_KEYS);
    },
  },
  {
    sentence: `Keys may be ${KEY_LENGTH_MAX} UTF-16 units long, and differ in the last only.`,
    async check(container) {
      const keys = ['x', '漢', '\0'].flatMap((unit) => {
        const beginning = unit.repeat(KEY_LENGTH_MAX - 1);
        return [beginning, `${beginning}a`, `${beginning}b`];
      });
      for (const [seed, key] of keys.entries()) await container.set(key, patternBytes(20, seed));
      for (const [seed, key] of keys.entries()) await expectValue(container, key, patternBytes(20, seed));
      await expectKeys(container, keys);
      for (const key of keys) await container.delete(key);
      await expectKeys(container, []);
    },
  },
];
