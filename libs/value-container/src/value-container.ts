/**
 * What a worker keeps its values in, where it is not to keep them itself: keys to bytes. Values are immutable to the
 * worker: it never writes into bytes that it gave, nor into those that it got, so a container may keep and give the very
 * same ones. What `checkContainer` looks at is what is meant here.
 */
export interface ValueContainer {
  /**
   * The bytes last set, `undefined` when there are none. They stay as they are for as long as the worker holds them:
   * never a view of memory that something else is read into.
   */
  get(key: string): Promise<Uint8Array | undefined>;
  /**
   * Resolves once `get` would give these bytes; until then the worker keeps them in memory itself. They may be a part of
   * a larger buffer, and lie in a `SharedArrayBuffer`. A rejection leaves the value with the worker.
   */
  set(key: string, bytes: Uint8Array): Promise<void>;
  /** Drops the value without reading it. Resolves for unknown keys too. */
  delete(key: string): Promise<void>;
  /** Every key, once, in any order. */
  keys(): AsyncIterable<string>;
  /** How many keys there are. */
  count(): Promise<number>;
  /** Called once, when the worker has let go of the container. What should not stay behind is removed here. */
  close?(): Promise<void>;
}

/**
 * Offered by a container that keeps some values in RAM and can move them elsewhere when it is told to. The worker then
 * goes on spilling by process memory (`worker.memory.spill`); which values leave is up to the container.
 */
export interface ManualEviction {
  /** Something is in RAM that `evict` could move out. */
  readonly fast: boolean;
  /** Moves at least one value out of RAM. Never rejects; nothing is lost whatever it says. */
  evict(): Promise<Evicted>;
}

/** Bytes of values, counted as they were set, that left RAM; or why none could. */
export type Evicted = { readonly freedBytes: number } | { readonly reason: string };

/** What a worker tells a factory of itself. */
export interface ContainerContext {
  /** A folder that exists, is this worker's own, and is removed with it. */
  readonly localDirectory: string;
}

/** Makes the container of one worker: a new one, empty, each time. `options`: as the user wrote them, `{}` when not. */
export type ContainerFactory<Options = Readonly<Record<string, unknown>>> = (
  context: ContainerContext,
  options: Options,
) => ValueContainer | Promise<ValueContainer>;

const METHODS = [
  'get',
  'set',
  'delete',
  'keys',
  'count',
] as const satisfies readonly (keyof ValueContainer)[];

/** The methods of a container that something does not have; all of them, for what is no object. */
export function missingMethods(candidate: unknown): readonly string[] {
  const isObject = typeof candidate === 'object' && candidate !== null;
  return METHODS.filter((name) => !isObject || typeof Reflect.get(candidate, name) !== 'function');
}

export const isValueContainer = (candidate: unknown): candidate is ValueContainer =>
  missingMethods(candidate).length === 0;

/** Whether the worker can tell it to move values out of RAM. */
export const hasManualEviction = (container: ValueContainer): container is ValueContainer & ManualEviction =>
  'fast' in container && 'evict' in container && typeof container.evict === 'function';
