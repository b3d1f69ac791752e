/** What is deleted is gone, and nothing else is. */
import type { ValueContainer } from '../../value-container.js';
import { expect, expectKeys, expectNothing, expectValue, patternBytes, type Rule } from '../rule.js';

export const DELETION_RULES: readonly Rule[] = [
  {
    sentence: 'A deleted key is gone, and the others stay.',
    async check(container) {
      const keys = ['a', 'b', 'c'];
      for (const [seed, key] of keys.entries()) await container.set(key, patternBytes(1000, seed));
      await container.delete('b');
      await expectNothing(container, 'b');
      await expectValue(container, 'a', patternBytes(1000, 0));
      await expectValue(container, 'c', patternBytes(1000, 2));
      await expectKeys(container, ['a', 'c']);
    },
  },
  {
    sentence: 'Deleting a key that is not there does nothing.',
    async check(container) {
      await container.delete('never-set');
      await container.set('a', patternBytes(10));
      await container.delete('a');
      await container.delete('a');
      await expectKeys(container, []);
    },
  },
  {
    sentence: 'A key that was deleted can be set again.',
    async check(container) {
      await container.set('a', patternBytes(1000, 1));
      await container.delete('a');
      await container.set('a', patternBytes(10, 2));
      await expectValue(container, 'a', patternBytes(10, 2));
      await expectKeys(container, ['a']);
    },
  },
  {
    sentence: 'Deleting does not read the value.',
    async check(container) {
      await container.set('a', patternBytes(1000));
      const reads = countReads(container);
      await container.delete('a');
      expect(reads.count === 0, 'delete calls get.');
    },
  },
];

/** Sees only reads by its own `get`: what is done below that cannot be seen from outside. */
function countReads(container: ValueContainer): { readonly count: number } {
  const reads = { count: 0 };
  const get = container.get.bind(container);
  Reflect.defineProperty(container, 'get', {
    configurable: true,
    value: (key: string) => {
      reads.count++;
      return get(key);
    },
  });
  return reads;
}
