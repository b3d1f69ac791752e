/**
 * Single primitives and small plain trees in a few bytes, several times faster than structured clone's set-up. A tree
 * goes as JSON only when JSON gives back exactly the same: `isExactInJson`.
 */
import { constants } from 'node:buffer';
import { types } from 'node:util';
import { FORM, MAGIC, MalformedError } from './container.js';
import { allocate, asBuffer } from './memory.js';
import { decodeJson, DEPENDENCY_KEY } from './json-values.js';
import { setOwn } from './own-properties.js';
import type { DependencyIndexOf } from './scan.js';

const HEAD_BYTES = 2;
const NUMBER_BYTES = 8;

/** Trees above any of these are left to structured clone. */
const TREE_VALUES_MAX = 48;
const TREE_TEXT_CHARS_MAX = 512;
const TREE_DEPTH_MAX = 4;

/** At most 6 bytes of JSON a character, at most 25 a number, and each field's punctuation. */
const scratch = new Uint8Array(TREE_TEXT_CHARS_MAX * 6 + TREE_VALUES_MAX * 32 + 64);
const scratchBuffer = asBuffer(scratch);
const scratchView = new DataView(scratch.buffer);

/** The encoded form of a primitive or a small plain tree; undefined for all else. */
export function encodeSmall(
  value: unknown,
  shared: boolean,
  dependencyIndexOf: DependencyIndexOf | undefined,
): Uint8Array | undefined {
  switch (typeof value) {
    case 'number':
      scratchView.setFloat64(HEAD_BYTES, value, true);
      return finish(FORM.number, HEAD_BYTES + NUMBER_BYTES);
    case 'string':
      return encodeString(value, shared);
    case 'boolean':
      return finish(value ? FORM.true : FORM.false, HEAD_BYTES);
    case 'undefined':
      return finish(FORM.undefined, HEAD_BYTES);
    case 'object':
      return value === null ? finish(FORM.null, HEAD_BYTES) : encodeTree(value, dependencyIndexOf);
    default:
      return undefined;
  }
}

function finish(form: number, sizeBytes: number): Uint8Array {
  scratch[0] = MAGIC;
  scratch[1] = form;
  return scratch.slice(0, sizeBytes);
}

function encodeString(text: string, shared: boolean): Uint8Array {
  const isLatin1 = !/[\u0100-\uffff]/.test(text);
  const target = allocate(HEAD_BYTES + text.length * (isLatin1 ? 1 : 2), shared);
  target[0] = MAGIC;
  target[1] = isLatin1 ? FORM.latin1 : FORM.utf16;
  asBuffer(target).write(text, HEAD_BYTES, isLatin1 ? 'latin1' : 'utf16le');
  return target;
}

function encodeTree(value: object, dependencyIndexOf: DependencyIndexOf | undefined): Uint8Array | undefined {
  const probe = new TreeProbe(dependencyIndexOf);
  if (!probe.isExactInJson(value, 0)) return undefined;
  const form = probe.dependencyCount === 0 ? FORM.json : FORM.jsonWithDependencies;
  const tree = probe.dependencyCount === 0 ? value : withPlaceholders(value, dependencyIndexOf!);
  return finish(form, HEAD_BYTES + scratchBuffer.write(JSON.stringify(tree), HEAD_BYTES, 'utf8'));
}

/** A copy of a small tree with the placeholders of the `json` encoding for its futures. */
function withPlaceholders(value: unknown, dependencyIndexOf: DependencyIndexOf): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const index = dependencyIndexOf(value);
  if (index !== undefined) return { [DEPENDENCY_KEY]: index };
  if (Array.isArray(value)) return value.map((item: unknown) => withPlaceholders(item, dependencyIndexOf));
  const copy = {};
  for (const key of Object.keys(value)) {
    setOwn(copy, key, withPlaceholders((value as Record<string, unknown>)[key], dependencyIndexOf));
  }
  return copy;
}

class TreeProbe {
  dependencyCount = 0;
  #valuesLeft = TREE_VALUES_MAX;
  #charsLeft = TREE_TEXT_CHARS_MAX;
  readonly #containers: object[] = [];

  constructor(private readonly dependencyIndexOf: DependencyIndexOf | undefined) {}

  isExactInJson(value: unknown, depth: number): boolean {
    if (--this.#valuesLeft < 0) return false;
    switch (typeof value) {
      case 'number':
        return Number.isFinite(value) && (value !== 0 || 1 / value > 0);
      case 'string':
        return this.#takeText(value);
      case 'boolean':
        return true;
      case 'object':
        return value === null || this.#isExactContainer(value, depth);
      default:
        return false;
    }
  }

  #takeText(text: string): boolean {
    this.#charsLeft -= text.length;
    return this.#charsLeft >= 0;
  }

  #isExactContainer(value: object, depth: number): boolean {
    if (this.dependencyIndexOf?.(value) !== undefined) {
      this.dependencyCount++;
      return true;
    }
    // JSON would write an object that is met twice as two objects.
    if (depth >= TREE_DEPTH_MAX || this.#containers.includes(value)) return false;
    // Structured clone refuses proxies, `arguments` and the like, so small ones are not let through here.
    if (types.isProxy(value)) return false;
    this.#containers.push(value);
    return Array.isArray(value) ? this.#isExactArray(value, depth) : this.#isExactObject(value, depth);
  }

  #isExactArray(array: readonly unknown[], depth: number): boolean {
    if (array.length > this.#valuesLeft || Object.getPrototypeOf(array) !== Array.prototype) return false;
    // Holes and named properties are what JSON would change.
    if (Object.keys(array).length !== array.length) return false;
    for (const item of array) if (!this.isExactInJson(item, depth + 1)) return false;
    return true;
  }

  #isExactObject(object: object, depth: number): boolean {
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype !== Object.prototype && prototype !== null) return false;
    if (Object.prototype.toString.call(object) !== '[object Object]') return false;
    for (const key in object) {
      if (!Object.hasOwn(object, key) || !this.#takeText(key) || key === DEPENDENCY_KEY) return false;
      if (!this.isExactInJson((object as Record<string, unknown>)[key], depth + 1)) return false;
    }
    return true;
  }
}

/** Reads the forms of single values and small trees. */
export function decodeSmall(data: Uint8Array, dependencies: readonly unknown[]): unknown {
  const body = data.subarray(HEAD_BYTES);
  switch (data[1]) {
    case FORM.undefined:
      return undefined;
    case FORM.null:
      return null;
    case FORM.true:
      return true;
    case FORM.false:
      return false;
    case FORM.number:
      return decodeNumber(data);
    case FORM.latin1:
      return decodeString(body, 'latin1', 1);
    case FORM.utf16:
      return decodeString(body, 'utf16le', 2);
    case FORM.json:
      return decodeJson(body, undefined);
    case FORM.jsonWithDependencies:
      return decodeJson(body, dependencies);
    default:
      throw new MalformedError(`its form ${String(data[1])} is unknown to this version`);
  }
}

function decodeNumber(data: Uint8Array): number {
  if (data.byteLength !== HEAD_BYTES + NUMBER_BYTES) throw new MalformedError('a number has 8 bytes');
  return new DataView(data.buffer, data.byteOffset).getFloat64(HEAD_BYTES, true);
}

function decodeString(body: Uint8Array, encoding: 'latin1' | 'utf16le', charBytes: 1 | 2): string {
  if (body.byteLength % charBytes !== 0) throw new MalformedError('it ends within a character');
  if (body.byteLength / charBytes > constants.MAX_STRING_LENGTH) {
    throw new MalformedError('it is longer than a string may be');
  }
  return asBuffer(body).toString(encoding);
}
