/**
 * User classes that travel as themselves. The registry is one for each thread (on `globalThis`), since a task bundle
 * may contain a copy of this library of its own and must still meet the codecs that the executor knows.
 */
import { InvalidArgumentError } from '@spillway/kernel';

/** How instances of a class become something that can be encoded, and again an instance. */
export interface Codec<T> {
  /** The name on the wire: the same in every program that meets such values. */
  readonly name: string;
  /** Instances of this class and, unless they have a codec of their own, of its subclasses. */
  readonly type: abstract new (...args: never[]) => T;
  /** May return anything that can be encoded, other instances and futures included, but nothing that leads back to `value`. */
  encode(value: T): unknown;
  decode(data: unknown): T;
}

interface Registry {
  readonly byName: Map<string, Codec<unknown>>;
  readonly byPrototype: WeakMap<object, Codec<unknown>>;
  /** How many were registered: none means that no prototype has to be looked up. */
  count: number;
}

const REGISTRY = Symbol.for('spillway.codecs.1');
const registry = ((globalThis as Record<symbol, unknown>)[REGISTRY] ??= {
  byName: new Map(),
  byPrototype: new WeakMap(),
  count: 0,
}) as Registry;

/**
 * Makes instances of a class encodable as themselves. To be called in every program that meets them, for example where
 * the class is defined. The same name again replaces: a module that is loaded again defines its classes again.
 */
export function registerCodec<T>(codec: Codec<T>): void {
  if (codec.name === '') throw new InvalidArgumentError('A codec needs a name; give the name of the class');
  const prototype: unknown = (codec.type as { prototype?: unknown }).prototype;
  if (typeof prototype !== 'object' || prototype === null || prototype === Object.prototype) {
    throw new InvalidArgumentError(`Codec '${codec.name}': type must be a class, not ${String(codec.type)}`);
  }
  registry.byName.set(codec.name, codec);
  registry.byPrototype.set(prototype, codec);
  registry.count++;
}

/** The codec of the nearest registered class of an object with this prototype. */
export function codecOfPrototype(prototype: object | null): Codec<unknown> | undefined {
  if (registry.count === 0) return undefined;
  for (let at = prototype; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const codec = registry.byPrototype.get(at);
    if (codec !== undefined) return codec;
  }
  return undefined;
}

export function codecOfName(name: string): Codec<unknown> | undefined {
  return registry.byName.get(name);
}
