/** The same value for every call of a `map`. */
export class Repeat<T> implements Iterable<T> {
  constructor(readonly value: T) {}

  *[Symbol.iterator](): Iterator<T> {
    for (;;) yield this.value;
  }
}

/** For `client.map(fn, values, repeat(rate))`: gives each call the same value. */
export const repeat = <T>(value: T): Repeat<T> => new Repeat(value);
