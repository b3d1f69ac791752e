/** What is wrong is told by rejecting, and closing ends in order. */
import type { ValueContainer } from '../../value-container.js';
import { BrokenRule, expect, patternBytes, type Rule } from '../rule.js';

type Call = readonly [name: string, call: () => unknown];

export const CALL_RULES: readonly Rule[] = [
  {
    sentence: 'Errors are rejections: no method throws, and each gives a promise.',
    async check(container) {
      const nothing = undefined as unknown as Uint8Array;
      const calls: Call[] = [
        ...callsOf(container),
        ['set, of no bytes,', () => container.set('none', nothing)],
      ];
      await Promise.all(calls.map((call) => settled(call, true)));
    },
  },
  {
    sentence: 'It can be closed, and what is asked afterwards does not throw.',
    appliesTo: (container) => 'close' in container,
    async check(container) {
      await container.set('a', patternBytes(1000));
      await container.close?.();
      await Promise.all(callsOf(container).map((call) => settled(call, false)));
    },
  },
];

const callsOf = (container: ValueContainer): Call[] => [
  ['get', () => container.get('a')],
  ['set', () => container.set('a', patternBytes(10))],
  ['delete', () => container.delete('a')],
  ['count', () => container.count()],
];

/** Resolves when the promise has settled, whichever way. */
async function settled([name, call]: Call, mustBePromise: boolean): Promise<void> {
  let given: unknown;
  try {
    given = call();
  } catch (error) {
    throw new BrokenRule(`${name} throws (${String(error)}) instead of rejecting.`);
  }
  const isPromise = typeof given === 'object' && given !== null && 'then' in given;
  expect(isPromise || !mustBePromise, `${name} gives no promise.`);
  await Promise.allSettled([given]);
}
