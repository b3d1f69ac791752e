/** Turns the inputs of a `map` into the arguments of its calls. */
import { InvalidArgumentError } from '@spillway/kernel';
import { Repeat } from './repeat.js';

/** One array of arguments for each call. All inputs but `repeat(…)` have to be of one length. */
export function argumentsOfCalls(inputs: readonly Iterable<unknown>[]): unknown[][] {
  const columns = inputs.map((input) => (input instanceof Repeat ? input : [...input]));
  const lengths = columns.filter((column) => Array.isArray(column)).map((column) => column.length);
  const count = lengths[0];
  if (count === undefined) {
    throw new InvalidArgumentError(
      'map needs at least one input that ends, since it makes one call for each value.',
    );
  }
  if (lengths.some((length) => length !== count)) {
    throw new InvalidArgumentError(
      `map was given inputs of different lengths (${lengths.join(', ')}). ` +
        `Give each the same number of values; for one value in all calls use repeat(value).`,
    );
  }
  const calls: unknown[][] = [];
  for (let index = 0; index < count; index += 1) {
    calls.push(columns.map((column) => (Array.isArray(column) ? column[index] : column.value) as unknown));
  }
  return calls;
}
