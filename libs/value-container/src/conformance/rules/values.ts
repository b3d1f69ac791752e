/** Values come back as they were set. */
import {
  expect,
  expectKeys,
  expectNothing,
  expectSame,
  expectValue,
  firstDifference,
  patternBytes,
  type Rule,
} from '../rule.js';

export const VALUE_RULES: readonly Rule[] = [
  {
    sentence: 'A new container is empty.',
    check: (container) => expectKeys(container, []),
  },
  {
    sentence: 'There is nothing under a key that was never set.',
    check: (container) => expectNothing(container, 'never-set'),
  },
  {
    sentence: 'An empty value is a value.',
    async check(container) {
      await container.set('empty', new Uint8Array(0));
      await expectValue(container, 'empty', new Uint8Array(0));
      await expectKeys(container, ['empty']);
    },
  },
  {
    sentence: 'A small value comes back byte for byte, whatever its bytes.',
    async check(container) {
      const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);
      await container.set('every-byte', everyByte);
      await container.set('one-byte', Uint8Array.of(255));
      await expectValue(container, 'every-byte', everyByte);
      await expectValue(container, 'one-byte', Uint8Array.of(255));
    },
  },
  {
    sentence: 'A large value comes back byte for byte.',
    async check(container, { largeBytes }) {
      const large = patternBytes(largeBytes);
      await container.set('large', large);
      await expectValue(container, 'large', large);
    },
  },
  {
    sentence: 'Of a larger buffer, the part that was given is stored.',
    async check(container) {
      const whole = patternBytes(1000);
      await container.set('part', whole.subarray(100, 107));
      await expectValue(container, 'part', whole.slice(100, 107));
    },
  },
  {
    sentence: 'Bytes in shared memory (SharedArrayBuffer) can be stored.',
    async check(container) {
      const shared = patternBytes(100_000, 2, new Uint8Array(new SharedArrayBuffer(100_000)));
      await container.set('shared', shared);
      await expectValue(container, 'shared', Uint8Array.from(shared));
    },
  },
  {
    sentence: 'Bytes that were given are left as they are.',
    async check(container) {
      const given = patternBytes(5000, 3);
      await container.set('given', given);
      await container.get('given');
      expect(given.byteLength === 5000, 'After set, the buffer that was given is detached.');
      const at = firstDifference(given, patternBytes(5000, 3));
      expect(at === undefined, 'After set, there are other bytes in the buffer that was given.');
    },
  },
  {
    sentence: 'Bytes that get gave stay as they are, whatever is asked afterwards.',
    async check(container) {
      const first = patternBytes(5000, 4);
      await container.set('first', first);
      await container.set('second', patternBytes(5000, 5));
      const got = await container.get('first');
      await container.get('second');
      await container.set('first', patternBytes(5000, 6));
      await container.get('first');
      await container.delete('first');
      await container.set('third', patternBytes(5000, 7));
      expectSame(got, first, 'first');
    },
  },
  {
    sentence: 'Setting a key again replaces its value.',
    async check(container) {
      for (const [seed, count] of [10, 5000, 3].entries()) {
        await container.set('again', patternBytes(count, seed));
        await expectValue(container, 'again', patternBytes(count, seed));
      }
      await expectKeys(container, ['again']);
    },
  },
];
