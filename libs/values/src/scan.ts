/**
 * The quick look at a value before it is written: does anything in it need more than structured clone gives? Most
 * values do not, and then they are written as they are. It must cost far less than writing, so small objects without
 * children are not remembered: looking twice at a shared one is cheaper.
 */
import { types } from 'node:util';
import { codecOf, kindOf } from './object-kind.js';
import { isMostlyHoles } from './own-properties.js';

export type DependencyIndexOf = (value: object) => number | undefined;

export interface Findings {
  /** Futures, instances with a codec, errors or shared buffers are in it: `GraphFlattening` must replace them. */
  readonly hasSpecials: boolean;
  /** Something in it that structured clone refuses, or would empty in silence. */
  readonly refused: object | undefined;
  /** Deeper than structured clone may recurse. */
  readonly isDeep: boolean;
  /** The array buffers in it, which travel out of band. */
  readonly buffers: ReadonlySet<ArrayBuffer>;
}

/** Levels that structured clone may recurse: it manages some 1,800 on a fresh stack of 1 MB, and tasks use stack too. */
export const DEPTH_MAX = 400;
/** An object without children is remembered if looking at it again costs more than remembering it. */
const SMALL_LEAF_FIELDS_MAX = 16;
/** Arrays up to this length are searched for named properties beside their elements. */
const NAMED_PROPERTIES_LENGTH_MAX = 64;

export function scan(root: object, dependencyIndexOf: DependencyIndexOf | undefined): Findings {
  return new GraphScan(dependencyIndexOf).run(root);
}

class GraphScan {
  hasSpecials = false;
  refused: object | undefined = undefined;
  isDeep = false;
  readonly buffers = new Set<ArrayBuffer>();
  readonly #seen = new Set<object>();
  /** Objects to look at, the next one last: in the order in which structured clone recurses, so that depths agree. */
  readonly #stack: object[] = [];
  readonly #depths: number[] = [];
  #depth = 0;

  constructor(private readonly dependencyIndexOf: DependencyIndexOf | undefined) {}

  run(root: object): Findings {
    this.#stack.push(root);
    this.#depths.push(0);
    for (let next = this.#stack.pop(); next !== undefined; next = this.#stack.pop()) {
      this.#depth = this.#depths.pop()!;
      if (!this.#seen.has(next)) this.#look(next);
      if (this.refused !== undefined) break;
    }
    return this;
  }

  #look(value: object): void {
    if (this.dependencyIndexOf?.(value) !== undefined) {
      this.hasSpecials = true;
      return;
    }
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (codecOf(value, prototype) !== undefined) this.hasSpecials = true;
    else this.#lookInside(value, prototype);
  }

  #lookInside(value: object, prototype: object | null): void {
    const firstChild = this.#stack.length;
    let fieldCount = 0;
    switch (kindOf(value, prototype)) {
      case 'array':
        fieldCount = this.#pushElements(value as unknown[]);
        break;
      case 'object':
        fieldCount = this.#pushFields(value as Record<string, unknown>);
        break;
      case 'map':
      case 'set':
        fieldCount = this.#pushMembers(value as Map<unknown, unknown> | Set<unknown>);
        break;
      case 'error':
      case 'shared-array-buffer':
        this.hasSpecials = true;
        break;
      case 'array-buffer':
        this.buffers.add(value as ArrayBuffer);
        break;
      case 'refused':
        this.refused = value;
        break;
      case 'view':
      case 'whole':
    }
    this.#finish(value, firstChild, fieldCount);
  }

  #finish(value: object, firstChild: number, fieldCount: number): void {
    const childCount = this.#stack.length - firstChild;
    if (childCount > 0 || fieldCount > SMALL_LEAF_FIELDS_MAX) this.#seen.add(value);
    if (childCount === 0) return;
    const depth = this.#depth + 1;
    if (depth > DEPTH_MAX) this.isDeep = true;
    for (let index = 0; index < childCount; index++) this.#depths.push(depth);
    for (let low = firstChild, high = this.#stack.length - 1; low < high; low++, high--) {
      const held = this.#stack[low]!;
      this.#stack[low] = this.#stack[high]!;
      this.#stack[high] = held;
    }
  }

  #pushElements(array: readonly unknown[]): number {
    if (isMostlyHoles(array) || hasNamedProperties(array)) {
      return this.#pushFields(array as unknown as Record<string, unknown>);
    }
    for (let index = 0; index < array.length; index++) {
      const child = array[index];
      if (typeof child === 'object' && child !== null && !this.#isSmallLeaf(child)) this.#stack.push(child);
    }
    return array.length;
  }

  #pushFields(object: Readonly<Record<string, unknown>>): number {
    let fieldCount = 0;
    // Inherited fields come too, where there are any: a needless look, cheaper than asking each whether it is own.
    for (const key in object) {
      const child = object[key];
      fieldCount++;
      if (typeof child === 'object' && child !== null && !this.#isSmallLeaf(child)) this.#stack.push(child);
    }
    return fieldCount;
  }

  /** A small plain object or array of primitives: nothing to find in it. Asked before it gets a place on the stack. */
  #isSmallLeaf(value: object): boolean {
    const prototype: unknown = Object.getPrototypeOf(value);
    const isPlainArray = prototype === Array.prototype && Array.isArray(value);
    if (!isPlainArray && prototype !== Object.prototype) return false;
    if (this.dependencyIndexOf?.(value) !== undefined) return false;
    return isPlainArray ? isSmallLeafArray(value) : isSmallLeafObject(value as Record<string, unknown>);
  }

  #pushMembers(members: Map<unknown, unknown> | Set<unknown>): number {
    const isMap = types.isMap(members);
    members.forEach((value: unknown, key: unknown) => {
      if (isMap && typeof key === 'object' && key !== null && !this.#isSmallLeaf(key)) this.#stack.push(key);
      if (typeof value === 'object' && value !== null && !this.#isSmallLeaf(value)) this.#stack.push(value);
    });
    return members.size;
  }
}

function isSmallLeafArray(array: readonly unknown[]): boolean {
  if (array.length > SMALL_LEAF_FIELDS_MAX || hasNamedProperties(array)) return false;
  for (const item of array) if (typeof item === 'object' && item !== null) return false;
  return true;
}

function isSmallLeafObject(object: Readonly<Record<string, unknown>>): boolean {
  let fieldsLeft = SMALL_LEAF_FIELDS_MAX;
  for (const key in object) {
    const field = object[key];
    if ((typeof field === 'object' && field !== null) || --fieldsLeft < 0) return false;
  }
  return true;
}

/** Whether a short array has properties beside its elements, or holes: then its keys must be walked. */
function hasNamedProperties(array: readonly unknown[]): boolean {
  return array.length <= NAMED_PROPERTIES_LENGTH_MAX && Object.keys(array).length !== array.length;
}
