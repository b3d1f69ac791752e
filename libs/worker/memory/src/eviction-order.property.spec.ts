import { asTaskKey } from '@spillway/kernel';
import fc from 'fast-check';
import { EvictionOrder, type Preference } from './eviction-order.js';
import { IN_RAM, StoredValue } from './stored-value.js';

type Step =
  | { type: 'add'; name: number; nbytes: number; isClean: boolean }
  | { type: 'touch' | 'remove'; name: number }
  | { type: 'heavy'; aboveBytes: number | false };

const name = fc.nat(8);
const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ type: fc.constant('add'), name, nbytes: fc.nat(100), isClean: fc.boolean() }),
    fc.record({ type: fc.constantFrom('touch', 'remove'), name }),
    fc.record({ type: fc.constant('heavy'), aboveBytes: fc.oneof(fc.nat(100), fc.constant<false>(false)) }),
  ),
  { maxLength: 60 },
);

/** The same by plain means: values in order of use, searched from the start. */
class Model {
  values: StoredValue[] = [];
  heavyAbove: number | false = false;

  next(preference: Preference, mayWrite: boolean): StoredValue | undefined {
    const isHeavy = ({ nbytes }: StoredValue): boolean =>
      this.heavyAbove !== false && nbytes > this.heavyAbove;
    const open = this.values.filter(({ isClean }) => isClean || (mayWrite && preference !== 'clean-only'));
    const rank = (value: StoredValue): number => {
      if (preference === 'least-recent') return isHeavy(value) ? (value.isClean ? 0 : 1) : 2;
      return (isHeavy(value) ? 0 : 1) + (value.isClean ? 0 : 2);
    };
    return open.toSorted((a, b) => rank(a) - rank(b) || this.values.indexOf(a) - this.values.indexOf(b))[0];
  }
}

function apply(step: Step, values: Map<number, StoredValue>, order: EvictionOrder, model: Model): void {
  if (step.type === 'heavy') {
    order.setHeavyAbove(step.aboveBytes);
    model.heavyAbove = step.aboveBytes;
    return;
  }
  const value = values.get(step.name);
  if (step.type === 'add') {
    if (value !== undefined) return;
    const added = new StoredValue(asTaskKey(`${step.name}`), step.nbytes);
    added.place = step.isClean ? { name: 'both', diskBytes: 1 } : IN_RAM;
    values.set(step.name, added);
    order.add(added);
    model.values.push(added);
  } else if (value !== undefined) {
    model.values = model.values.filter((other) => other !== value);
    if (step.type === 'touch') model.values.push(value);
    else values.delete(step.name);
    order[step.type](value);
  }
}

test('the next victim is the one that a plain list in order of use gives', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const order = new EvictionOrder();
      const model = new Model();
      const values = new Map<number, StoredValue>();
      for (const step of all) {
        apply(step, values, order, model);
        expect(order.count).toBe(model.values.length);
        expect(new Set(order.listed())).toEqual(new Set(model.values));
        for (const preference of ['least-recent', 'cheapest', 'clean-only'] as const)
          for (const mayWrite of [true, false])
            expect(order.next(preference, mayWrite)).toBe(model.next(preference, mayWrite));
      }
    }),
  );
});
