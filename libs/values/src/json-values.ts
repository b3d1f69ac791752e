/**
 * The `json` encoding: what any language can read. JSON's own rules hold (`undefined` fields are left out, NaN is null,
 * dates are text), but what it would lose whole is refused. A future is the object `{"$dependency": index}`.
 */
import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import { MalformedError } from './container.js';
import { dependencyAt } from './graph-restoring.js';
import { allocate, asBuffer } from './memory.js';
import { setOwn } from './own-properties.js';
import type { DependencyIndexOf } from './scan.js';
import { decodeText } from './text.js';
import { NotClonableError } from './unencodable.js';

/** The only key of the object that stands for a result of another task. */
export const DEPENDENCY_KEY = '$dependency';

/** Throws `NotClonableError`, or whatever the value's getters and `toJSON` throw. `undefined` is written as null. */
export function encodeJson(
  value: unknown,
  dependencyIndexOf: DependencyIndexOf | undefined,
  shared: boolean,
): Uint8Array {
  // Undefined for undefined, whatever its type says, and for an object whose toJSON gives that.
  const json = JSON.stringify(value, replacer(dependencyIndexOf)) as string | undefined;
  const text = json ?? 'null';
  const target = allocate(Buffer.byteLength(text, 'utf8'), shared);
  asBuffer(target).write(text, 'utf8');
  return target;
}

/** What JSON would drop, empty or number away in silence. */
export function isLostInJson(value: unknown): boolean {
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') return true;
  if (typeof value !== 'object' || value === null) return false;
  return (
    types.isMap(value) || types.isSet(value) || types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value)
  );
}

function replacer(dependencyIndexOf: DependencyIndexOf | undefined) {
  return function (this: unknown, key: string, value: unknown): unknown {
    const isValueAnObject = typeof value === 'object' && value !== null;
    if (dependencyIndexOf !== undefined) {
      // `value` has been through toJSON; the holder has what was there.
      const original = (this as Record<string, unknown>)[key];
      const index =
        typeof original === 'object' && original !== null ? dependencyIndexOf(original) : undefined;
      if (index !== undefined) return new Placeholder(index);
      if (isValueAnObject && isPlaceholder(value) && !(value instanceof Placeholder)) {
        throw new NotClonableError(value);
      }
    }
    if (isLostInJson(value)) throw new NotClonableError(value);
    return value;
  };
}

/** What the replacer writes for a future: of a class of its own, to be told from the user's data. */
class Placeholder {
  readonly [DEPENDENCY_KEY]: number;
  constructor(index: number) {
    this[DEPENDENCY_KEY] = index;
  }
}

function isPlaceholder(value: object): value is { readonly [DEPENDENCY_KEY]: unknown } {
  return Object.hasOwn(value, DEPENDENCY_KEY) && Object.keys(value).length === 1;
}

/** Parses the text; with `dependencies`, puts them where their placeholders are. Throws `MalformedError` or `SyntaxError`. */
export function decodeJson(bytes: Uint8Array, dependencies: readonly unknown[] | undefined): unknown {
  const value: unknown = JSON.parse(decodeText(bytes));
  return dependencies === undefined ? value : substitute(value, dependencies);
}

function substitute(root: unknown, dependencies: readonly unknown[]): unknown {
  const holder = { root };
  const stack: object[] = [holder];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    for (const key of Object.keys(at)) {
      const child = (at as Record<string, unknown>)[key];
      if (typeof child !== 'object' || child === null) continue;
      if (isPlaceholder(child)) setOwn(at, key, dependencyAt(dependencies, indexOf(child)));
      else stack.push(child);
    }
  }
  return holder.root;
}

function indexOf(placeholder: { readonly [DEPENDENCY_KEY]: unknown }): number {
  const index = placeholder[DEPENDENCY_KEY];
  if (typeof index === 'number' && Number.isSafeInteger(index) && index >= 0) return index;
  throw new MalformedError(`${DEPENDENCY_KEY} is ${JSON.stringify(index)}, not the index of a dependency`);
}
