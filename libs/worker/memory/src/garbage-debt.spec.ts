import { GarbageDebt, garbageBudgetBytes } from './garbage-debt.js';

const MIB = 2 ** 20;

test('dropped bytes are a debt until they exceed the budget, and then it begins anew', () => {
  const debt = new GarbageDebt(100);
  expect(debt.drop(60)).toBe(false);
  expect(debt.drop(40)).toBe(false);
  expect(debt.bytes).toBe(100);
  expect(debt.drop(1)).toBe(true);
  expect(debt.bytes).toBe(0);
  expect(debt.drop(100)).toBe(false);
});

test.each([
  ['a sixteenth of the limit', 1024 * MIB, 64 * MIB],
  ['enough that a small worker does not collect all the time', 64 * MIB, 16 * MIB],
  ['no more than collecting is cheap for', 64 * 1024 * MIB, 128 * MIB],
  ['the same without a limit', false, 128 * MIB],
] as const)('the budget is %s', (_what, limitBytes, expected) => {
  expect(garbageBudgetBytes(limitBytes)).toBe(expected);
});
