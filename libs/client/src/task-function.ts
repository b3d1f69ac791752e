/** What can be submitted, and how its types reach the future: arguments may be values or futures of them, deeply. */
import type { FunctionRef } from '@spillway/messages';
import type { Future } from './future.js';

declare const signature: unique symbol;

/** A function by name, on the workers: an export of a loaded module, or of one that operators installed. */
export interface RemoteFunction<F extends AnyFunction = AnyFunction> {
  readonly name: string;
  readonly ref: FunctionRef;
  /** Only for the compiler: the type of the function. */
  readonly [signature]?: F;
}

export type AnyFunction = (...args: never[]) => unknown;

/** A handle of `load` or `preinstalled`, or a self-contained function. */
export type TaskFunction = AnyFunction | RemoteFunction;

export type FunctionOf<F extends TaskFunction> = F extends AnyFunction
  ? F
  : F extends RemoteFunction<infer G>
    ? G
    : never;

/** Values that are taken as they are: nothing inside them can be a future. */
type Leaf =
  | string
  | number
  | bigint
  | boolean
  | symbol
  | null
  | undefined
  | Date
  | RegExp
  | Error
  | ArrayBuffer
  | SharedArrayBuffer
  | ArrayBufferView
  | AnyFunction;

/** `T`, with a future of the right type in the place of any part of it. */
export type Deep<T> = Future<T> | DeepParts<T>;

type DeepParts<T> = T extends Leaf
  ? T
  : T extends ReadonlyMap<infer K, infer V>
    ? T | ReadonlyMap<K, Deep<V>>
    : T extends ReadonlySet<infer V>
      ? T | ReadonlySet<Deep<V>>
      : T extends object
        ? { readonly [K in keyof T]: Deep<T[K]> }
        : T;

type DeepEach<Args extends readonly unknown[]> = { [K in keyof Args]: Deep<Args[K]> };

/** Arguments of a call of `F`. */
export type ArgumentsOf<F extends TaskFunction> = DeepEach<Parameters<FunctionOf<F>>>;

/** For each parameter of `F`, the values of all the calls. */
export type InputsOf<F extends TaskFunction> = InputEach<Parameters<FunctionOf<F>>>;
type InputEach<Args extends readonly unknown[]> = { [K in keyof Args]: Iterable<Deep<Args[K]>> };

/** What a call of `F` comes to; a promise is awaited on the worker. */
export type ResultOf<F extends TaskFunction> = Awaited<ReturnType<FunctionOf<F>>>;

/** The functions that a module exports, as handles. */
export type Handles<M> = {
  readonly [K in keyof M as M[K] extends AnyFunction ? K : never]: RemoteFunction<Extract<M[K], AnyFunction>>;
};

/** The shape of `T` with every future replaced by what it stands for. */
export type Gathered<T> =
  T extends Future<infer R>
    ? R
    : T extends Leaf
      ? T
      : T extends ReadonlyMap<infer K, infer V>
        ? Map<K, Gathered<V>>
        : T extends ReadonlySet<infer V>
          ? Set<Gathered<V>>
          : T extends object
            ? { -readonly [K in keyof T]: Gathered<T[K]> }
            : T;
