/** Fetches the values of many futures: in the shape they stand in, or one after the other within a window of bytes. */
import { onAbort } from './abort-listeners.js';
import { Future } from './future.js';

export type FetchOne = (future: Future<unknown>, signal: AbortSignal) => Promise<unknown>;

/**
 * The same shape of arrays, plain objects, maps and sets, with each future replaced by its value. All are fetched at
 * the same time; the first failure is the outcome and breaks off the rest.
 */
export async function gatherShape(shape: unknown, fetchOne: FetchOne, signal: AbortSignal): Promise<unknown> {
  const futures = new Set<Future<unknown>>();
  collect(shape, futures, new Set());
  const abort = new AbortController();
  const stopListening = onAbort(signal, () => abort.abort(signal.reason));
  try {
    const values = new Map<unknown, unknown>();
    const fetch = async (future: Future<unknown>): Promise<void> => {
      values.set(future, await fetchOne(future, abort.signal));
    };
    await Promise.all([...futures].map(fetch));
    return replace(shape, values, new Map());
  } catch (error) {
    abort.abort(error);
    throw error;
  } finally {
    stopListening();
  }
}

function collect(shape: unknown, futures: Set<Future<unknown>>, seen: Set<unknown>): void {
  if (shape instanceof Future) return void futures.add(shape);
  if (!isShape(shape) || seen.has(shape)) return;
  seen.add(shape);
  for (const member of membersOf(shape)) collect(member, futures, seen);
}

type Shape =
  readonly unknown[] | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | Record<string, unknown>;

/** Anything else that an application puts there is a value and is given back as it is. */
function isShape(value: unknown): value is Shape {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function membersOf(shape: Shape): Iterable<unknown> {
  if (Array.isArray(shape) || shape instanceof Set) return shape as Iterable<unknown>;
  return shape instanceof Map ? shape.values() : Object.values(shape);
}

function replace(
  shape: unknown,
  values: ReadonlyMap<unknown, unknown>,
  made: Map<unknown, unknown>,
): unknown {
  if (shape instanceof Future) return values.get(shape);
  if (!isShape(shape)) return shape;
  if (made.has(shape)) return made.get(shape);
  const change = (member: unknown): unknown => replace(member, values, made);
  // Made before it is filled, so that a shape that contains itself comes out as one that contains itself.
  if (Array.isArray(shape)) {
    const copy: unknown[] = [];
    made.set(shape, copy);
    for (const member of shape) copy.push(change(member));
    return copy;
  }
  if (shape instanceof Set) {
    const copy = new Set<unknown>();
    made.set(shape, copy);
    for (const member of shape) copy.add(change(member));
    return copy;
  }
  if (shape instanceof Map) {
    const copy = new Map<unknown, unknown>();
    made.set(shape, copy);
    for (const [name, member] of shape) copy.set(name, change(member));
    return copy;
  }
  const copy: Record<string, unknown> = {};
  made.set(shape, copy);
  for (const [name, member] of Object.entries(shape)) copy[name] = change(member);
  return copy;
}
