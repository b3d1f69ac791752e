import { InvariantError } from './errors.js';

/** Throws `InvariantError` unless `condition` holds. For our own mistakes only, never for bad input. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Ends a `switch` over a union, so that a new member does not compile until it is handled. */
export function assertNever(value: never, what: string): never {
  throw new InvariantError(`Unhandled ${what}: ${JSON.stringify(value)}`);
}

/** The value, or `InvariantError` when it is `undefined`: for look-ups that cannot miss unless we are wrong. */
export function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new InvariantError(`Missing ${what}`);
  return value;
}
