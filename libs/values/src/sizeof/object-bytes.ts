/**
 * What one object takes by itself, and what it holds, for each kind of object. Looks at own enumerable data properties
 * only: accessors are user code and are not called, private fields cannot be seen (`registerSizeof` is for them). Big
 * containers are sampled, except that the names of an object's properties have to be listed to be counted.
 */
import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import { kindOf } from '../object-kind.js';
import { isMostlyHoles } from '../own-properties.js';
import { isSmallInteger, primitiveBytes, stringBytes } from './primitive-bytes.js';
import { SAMPLE_COUNT_MAX, sampleIndexes } from './spread.js';
import * as layout from './v8-layout.js';

/** Where the price of one object is told. */
export interface Bill {
  /** The value asked about, not something inside of it. */
  readonly isRoot: boolean;
  own(bytes: number): void;
  /** A value held, which stands for `count` such values. */
  part(value: unknown, count: number): void;
  /** Something that all objects with the same `id` have in common. */
  common(id: string, bytes: number): void;
}

/** Of maps and sets, which can only be walked from their start, the sample is taken from this many first entries. */
const WALKED_COUNT_MAX = 10 * SAMPLE_COUNT_MAX;
const ARRAY_INDEX = /^(?:0|[1-9]\d*)$/u;

export function billObject(value: object, bill: Bill): void {
  if (typeof value === 'function') {
    bill.own(layout.FUNCTION_BYTES);
    return;
  }
  if (types.isProxy(value)) {
    bill.own(layout.OPAQUE_BYTES);
    return;
  }
  const kind = kindOf(value, Object.getPrototypeOf(value) as object | null);
  switch (kind) {
    case 'object':
      billProperties(value, bill);
      break;
    case 'array':
      billArray(value as unknown[], bill);
      break;
    case 'map':
      billMap(value as Map<unknown, unknown>, bill);
      break;
    case 'set':
      billSet(value as Set<unknown>, bill);
      break;
    case 'view':
      billView(value as ArrayBufferView, bill);
      break;
    case 'array-buffer':
    case 'shared-array-buffer':
      bill.own((value as ArrayBufferLike).byteLength);
      break;
    case 'error':
      billError(value, bill);
      break;
    case 'whole':
      bill.own(wholeBytes(value));
      break;
    case 'refused':
      bill.own(layout.OPAQUE_BYTES);
      break;
  }
}

function billProperties(object: object, bill: Bill): void {
  const keys = Object.keys(object);
  bill.own(layout.OBJECT_BYTES + keys.length * layout.SLOT_BYTES);
  const sample = sampleIndexes(keys.length).map((index) => keys[index]!);
  if (ARRAY_INDEX.test(keys[0] ?? '')) {
    bill.own(keys.length * (layout.SPARSE_ELEMENT_BYTES - layout.SLOT_BYTES));
  } else if (keys.length > layout.SHARED_NAMES_COUNT_MAX) {
    // Records with the same names share them; a dictionary has its own.
    const nameBytes = sample.reduce((sum, key) => sum + stringBytes(key), 0) / sample.length;
    const id = [keys.length, keys[0], keys[keys.length >> 1], keys.at(-1)].join('\0');
    bill.common(id, keys.length * (layout.DICTIONARY_ENTRY_BYTES + nameBytes));
  }
  billSample(
    sample.map((key) => dataOf(object, key)),
    keys.length,
    bill,
  );
}

/** A data property's value; `undefined` for an accessor. */
const dataOf = (object: object, key: string): unknown => Object.getOwnPropertyDescriptor(object, key)?.value;

function billArray(array: readonly unknown[], bill: Bill): void {
  if (isMostlyHoles(array)) {
    const keys = Object.keys(array);
    bill.own(layout.ARRAY_BYTES + keys.length * layout.SPARSE_ELEMENT_BYTES);
    const sample = sampleIndexes(keys.length).map((index) => dataOf(array, keys[index]!));
    billSample(sample, keys.length, bill);
    return;
  }
  const sample = sampleIndexes(array.length).map((index) => array[index]);
  if (areDoubles(sample)) {
    bill.own(layout.ARRAY_BYTES + array.length * layout.DOUBLE_ELEMENT_BYTES);
    return;
  }
  bill.own(layout.ARRAY_BYTES + array.length * layout.SLOT_BYTES);
  billSample(sample, array.length, bill);
}

const areDoubles = (sample: readonly unknown[]): boolean =>
  sample.every((item) => typeof item === 'number') && !sample.every((item) => isSmallInteger(item));

function billMap(map: ReadonlyMap<unknown, unknown>, bill: Bill): void {
  const { size } = map;
  bill.own(layout.mapBytes(size));
  // Of the built-in class: a subclass may walk its entries in a way of its own.
  const entries = sampleOf(Map.prototype.entries.call(map) as Iterator<[unknown, unknown]>, size);
  billSample(
    entries.map(([key]) => key),
    size,
    bill,
  );
  billSample(
    entries.map(([, item]) => item),
    size,
    bill,
  );
}

function billSet(set: ReadonlySet<unknown>, bill: Bill): void {
  bill.own(layout.setBytes(set.size));
  billSample(sampleOf(Set.prototype.values.call(set) as Iterator<unknown>, set.size), set.size, bill);
}

function sampleOf<T>(iterator: Iterator<T>, size: number): T[] {
  const indexes = sampleIndexes(Math.min(size, WALKED_COUNT_MAX));
  const sample: T[] = [];
  for (let index = 0; sample.length < indexes.length; index += 1) {
    const next = iterator.next();
    if (next.done === true) break;
    if (index === indexes[sample.length]) sample.push(next.value);
  }
  return sample;
}

/** Bills items that stand for `count`. */
function billSample(sample: readonly unknown[], count: number, bill: Bill): void {
  const each = count / sample.length;
  const eachObject = areFewObjects(sample) ? 1 : each;
  for (const item of sample) bill.part(item, isObject(item) ? eachObject : each);
}

/** Where a sample meets the same objects over and over, it has met about all there are. */
function areFewObjects(sample: readonly unknown[]): boolean {
  if (sample.length < SAMPLE_COUNT_MAX) return false;
  const objects = sample.filter(isObject);
  return new Set(objects).size * 2 <= objects.length;
}

export const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

/**
 * A view counts the whole of its buffer, once for all views: so much memory stays while one of them does. Except where the
 * buffer is a piece of Node's pool, which has many owners: there it counts its own bytes.
 */
function billView(view: ArrayBufferView, bill: Bill): void {
  if (!bill.isRoot) bill.own(layout.VIEW_BYTES);
  if (Buffer.isBuffer(view) && view.buffer.byteLength === Buffer.poolSize) {
    bill.own(view.byteLength);
    return;
  }
  bill.part(view.buffer, 1);
}

function billError(error: object, bill: Bill): void {
  bill.own(layout.ERROR_BYTES);
  for (const key of ['message', 'cause', 'errors']) bill.part(dataOf(error, key), 1);
  for (const key of Object.keys(error)) bill.part(dataOf(error, key), 1);
}

function wholeBytes(value: object): number {
  if (types.isDate(value)) return layout.DATE_BYTES;
  if (types.isRegExp(value)) return layout.REGEXP_BYTES + stringBytes(value.source);
  return layout.OBJECT_BYTES + primitiveBytes((value as { valueOf(): unknown }).valueOf());
}
