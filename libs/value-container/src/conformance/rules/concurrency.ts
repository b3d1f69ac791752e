/** A worker asks for many things at once: dozens of sets, and as many gets as there are tasks and peers. */
import { expectKeys, expectNothing, expectSame, expectValue, patternBytes, type Rule } from '../rule.js';

const COUNT = 100;
const sizeOf = (index: number): number => (index % 10 === 0 ? 100_000 : 10 + index);
const indexes = Array.from({ length: COUNT }, (_, index) => index);

export const CONCURRENCY_RULES: readonly Rule[] = [
  {
    sentence: 'Many sets at once all store their own value.',
    async check(container) {
      await Promise.all(
        indexes.map((index) => container.set(`k${index}`, patternBytes(sizeOf(index), index))),
      );
      for (const index of indexes)
        await expectValue(container, `k${index}`, patternBytes(sizeOf(index), index));
      await expectKeys(
        container,
        indexes.map((index) => `k${index}`),
      );
    },
  },
  {
    sentence: 'Many gets at once, also of one key, all give the right value.',
    async check(container) {
      for (const index of indexes) await container.set(`k${index}`, patternBytes(sizeOf(index), index));
      const asked = [...indexes, ...indexes, 0, 0];
      const values = await Promise.all(asked.map((index) => container.get(`k${index}`)));
      asked.forEach((index, place) =>
        expectSame(values[place], patternBytes(sizeOf(index), index), `k${index}`),
      );
    },
  },
  {
    sentence: 'Sets, gets and deletions of different keys at once do not disturb each other.',
    async check(container) {
      for (const index of indexes) await container.set(`old${index}`, patternBytes(sizeOf(index), index));
      await Promise.all(
        indexes.map(async (index) => {
          const setting = container.set(`new${index}`, patternBytes(sizeOf(index), index + COUNT));
          const deleting = index % 2 === 0 ? container.delete(`old${index}`) : undefined;
          const kept = index - (index % 2) + 1;
          expectSame(await container.get(`old${kept}`), patternBytes(sizeOf(kept), kept), `old${kept}`);
          await Promise.all([setting, deleting]);
        }),
      );
      for (const index of indexes) {
        await expectValue(container, `new${index}`, patternBytes(sizeOf(index), index + COUNT));
        if (index % 2 === 0) await expectNothing(container, `old${index}`);
      }
    },
  },
];
