/**
 * Size functions of users, by class. The registry is one for each thread (on `globalThis`), since a task bundle may
 * contain a copy of this library of its own.
 */
import { InvalidArgumentError } from '@spillway/kernel';

type SizeFunction = (value: never) => unknown;

interface Registry {
  readonly byPrototype: WeakMap<object, SizeFunction>;
  /** Functions that failed and were warned of. */
  readonly warned: WeakSet<SizeFunction>;
  /** How many were registered: none means that no prototype has to be looked up. */
  count: number;
  /** For task modules, whose bundles do not contain this library. */
  sizeof?: (value: unknown) => number;
}

const REGISTRY = Symbol.for('spillway.sizeof.1');
const registry = ((globalThis as Record<symbol, unknown>)[REGISTRY] ??= {
  byPrototype: new WeakMap(),
  warned: new WeakSet(),
  count: 0,
}) as Registry;

/**
 * Says how many bytes of memory an instance of a class takes, everything inside included: for what `sizeof` cannot see,
 * such as private fields and memory of native code. Holds for subclasses too, unless they have a function of their own.
 * A function that throws, or returns no size, is warned of once, and its value is priced as any object.
 */
export function registerSizeof<T>(
  type: abstract new (...args: never[]) => T,
  bytesOf: (value: T) => number,
): void {
  const prototype: unknown = (type as { prototype?: unknown }).prototype;
  if (typeof prototype !== 'object' || prototype === null || prototype === Object.prototype) {
    throw new InvalidArgumentError(`registerSizeof: type must be a class, not ${String(type)}`);
  }
  registry.byPrototype.set(prototype, bytesOf);
  registry.count++;
}

/** What the nearest registered class says of an object; `undefined` when there is none, or it makes no sense. */
export function registeredBytes(value: object): number | undefined {
  if (registry.count === 0) return undefined;
  for (
    let at = Object.getPrototypeOf(value) as object | null;
    at !== null;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    const bytesOf = registry.byPrototype.get(at);
    if (bytesOf !== undefined) return askUser(bytesOf, value, at);
  }
  return undefined;
}

export function publishFunction(sizeof: (value: unknown) => number): void {
  registry.sizeof = sizeof;
}

function askUser(bytesOf: SizeFunction, value: object, prototype: object): number | undefined {
  try {
    const bytes = bytesOf(value as never);
    if (typeof bytes === 'number' && bytes >= 0 && bytes < Infinity) return bytes;
    warnOnce(bytesOf, prototype, () => `returned ${String(bytes)}, which is no number of bytes`);
  } catch (error) {
    warnOnce(bytesOf, prototype, () => `failed: ${error instanceof Error ? error.message : String(error)}`);
  }
  return undefined;
}

function warnOnce(bytesOf: SizeFunction, prototype: object, what: () => string): void {
  if (registry.warned.has(bytesOf)) return;
  registry.warned.add(bytesOf);
  process.emitWarning(
    `The size function registered for ${nameOf(prototype)} ${textOf(what)}. Where it does so, instances are priced as any object.`,
    { type: 'SpillwayWarning', code: 'SPILLWAY_SIZEOF' },
  );
}

/** What was thrown, or returned, may not even turn into text. */
function textOf(what: () => string): string {
  try {
    return what();
  } catch {
    return 'failed';
  }
}

function nameOf(prototype: object): string {
  const constructed = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value as unknown;
  return typeof constructed === 'function' && constructed.name !== ''
    ? constructed.name
    : 'a class without a name';
}
