/**
 * Compares two values as graphs, for round-trip tests: kinds, contents, holes, -0, NaN, property names, and that two
 * references to one object on the left are two references to one object on the right. Ignores prototypes of plain
 * objects, which structured clone does not keep.
 */
import { Buffer } from 'node:buffer';
import { isDeepStrictEqual, types } from 'node:util';

/** The path of the first difference, `undefined` for none. */
export function firstDifference(left: unknown, right: unknown): string | undefined {
  const partners = new Map<object, object>();
  const taken = new Set<object>();
  const stack: { readonly a: unknown; readonly b: unknown; readonly path: string }[] = [
    { a: left, b: right, path: 'value' },
  ];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { a, b, path } = next;
    if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) {
      if (!Object.is(a, b)) return path;
      continue;
    }
    if (partners.has(a)) {
      if (partners.get(a) !== b) return `${path} (identity)`;
      continue;
    }
    if (taken.has(b) || kindOf(a) !== kindOf(b)) return path;
    partners.set(a, b);
    taken.add(b);
    if (!isSameAlone(a, b)) return path;
    const [inA, inB] = [partsOf(a), partsOf(b)];
    if (inA.length !== inB.length) return `${path} (size)`;
    inA.forEach(([key, part], at) => {
      stack.push({ a: key, b: inB[at]![0], path: `${path} key ${at}` });
      stack.push({ a: part, b: inB[at]![1], path: `${path}[${at}]` });
    });
  }
  return undefined;
}

function kindOf(value: object): string {
  if (Array.isArray(value)) return 'array';
  if (Buffer.isBuffer(value)) return 'Buffer';
  if (types.isNativeError(value)) return 'error';
  const tag = Object.prototype.toString.call(value);
  return tag === '[object Object]' || types.isDate(value)
    ? tag
    : `${tag} ${(value.constructor as { name: string }).name}`;
}

/** What an object is beside its parts. */
function isSameAlone(a: object, b: object): boolean {
  if (types.isDate(a)) return Object.is(a.getTime(), (b as Date).getTime());
  if (types.isRegExp(a)) return a.source === (b as RegExp).source && a.flags === (b as RegExp).flags;
  if (types.isBoxedPrimitive(a)) return Object.is(a.valueOf(), b.valueOf());
  if (ArrayBuffer.isView(a)) return isDeepStrictEqual(bytesOf(a), bytesOf(b as ArrayBufferView));
  if (types.isAnyArrayBuffer(a)) return isDeepStrictEqual(Buffer.from(a), Buffer.from(b as ArrayBuffer));
  return !Array.isArray(a) || a.length === (b as unknown[]).length;
}

const bytesOf = (view: ArrayBufferView): Buffer => Buffer.from(view.buffer, view.byteOffset, view.byteLength);

function partsOf(value: object): (readonly [unknown, unknown])[] {
  if (types.isMap(value)) return [...value];
  if (types.isSet(value)) return [...value].map((member) => [member, undefined]);
  if (types.isNativeError(value)) {
    const names = new Set([...Object.getOwnPropertyNames(value).sort(), 'name']);
    return [...names].map((name) => [name, (value as unknown as Record<string, unknown>)[name]]);
  }
  if (ArrayBuffer.isView(value) || types.isBoxedPrimitive(value)) return [];
  return Object.entries(value);
}
