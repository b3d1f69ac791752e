/** Handles of functions that are on the workers, by name. */
import { FunctionNotFoundError, InvalidArgumentError, type ModuleHash } from '@spillway/kernel';
import type { FunctionRef } from '@spillway/messages';
import { isName, NAME_RULE } from './names.js';
import type { AnyFunction, Handles, RemoteFunction } from './task-function.js';

class NamedFunction implements RemoteFunction {
  constructor(
    readonly name: string,
    readonly ref: FunctionRef,
  ) {
    if (!isName(name)) throw noName('export', name);
  }
}

export function isRemoteFunction(value: unknown): value is RemoteFunction {
  return value instanceof NamedFunction;
}

/**
 * A function of a module that operators installed on the workers (`worker.preinstalled`), by the module's name there.
 * Nothing is uploaded. A name that no worker knows fails the task with `FunctionNotFoundError`.
 */
export function preinstalled<F extends AnyFunction = AnyFunction>(
  module: string,
  exportName: string,
): RemoteFunction<F> {
  if (!isName(module)) throw noName('module', module);
  return new NamedFunction(exportName, { kind: 'preinstalled', module, exportName });
}

/**
 * The exports of an uploaded module as handles. A name that the module does not export throws, listing those it does;
 * `exportNames` is `undefined` for a CommonJS module, whose exports are known only when it runs.
 */
export function handlesOf<M>(
  moduleHash: ModuleHash,
  exportNames: readonly string[] | undefined,
  source: string,
): Handles<M> {
  const handle = (exportName: string): RemoteFunction =>
    new NamedFunction(exportName, { kind: 'bundle', moduleHash, exportName });
  const known = Object.fromEntries((exportNames ?? []).map((name) => [name, handle(name)]));
  return new Proxy(Object.freeze(known), {
    get: (handles, name) => {
      if (typeof name === 'symbol' || Object.hasOwn(handles, name))
        return Reflect.get(handles, name) as unknown;
      // Asked for by `await` and `JSON.stringify` of anything; an answer would change what these do.
      if (name === 'then' || name === 'toJSON') return undefined;
      if (exportNames === undefined) return handle(name);
      throw new FunctionNotFoundError(
        `${source} does not export "${name}". It exports ${exportNames.map((n) => `"${n}"`).join(', ') || 'nothing'}.`,
        { details: { exportName: name, moduleHash } },
      );
    },
  }) as Handles<M>;
}

const noName = (what: string, name: string): InvalidArgumentError =>
  new InvalidArgumentError(`The name of the ${what} has to be ${NAME_RULE}, not ${JSON.stringify(name)}.`, {
    details: { [what]: name },
  });
