import { smallAdd, smallDelete, smallHas, smallSize, smallValues, type SmallSet } from './small-set.js';

const a = { name: 'a' };
const b = { name: 'b' };

test('a set of nothing is undefined, of one member is that member, and grows and shrinks like any set', () => {
  let set: SmallSet<{ name: string }> = undefined;
  expect([smallSize(set), [...smallValues(set)]]).toEqual([0, []]);

  set = smallAdd(set, a);
  expect(set).toBe(a);
  expect([smallHas(set, a), smallHas(set, b), smallSize(set)]).toEqual([true, false, 1]);
  expect(smallAdd(set, a)).toBe(a);

  set = smallAdd(set, b);
  expect([...smallValues(set)]).toEqual([a, b]);

  set = smallDelete(set, a);
  expect([smallHas(set, a), [...smallValues(set)]]).toEqual([false, [b]]);
  expect(smallDelete(set, b)).toBeUndefined();
});

test('deleting what is not in the set changes nothing', () => {
  expect(smallDelete(undefined, a)).toBeUndefined();
  expect(smallDelete(a, b)).toBe(a);
});
