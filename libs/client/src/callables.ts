/** What a caller hands over to be run, as something the workers can find: a handle, or an inline function's text. */
import { InvalidArgumentError } from '@spillway/kernel';
import { InlineFunctions } from './inline/inline-functions.js';
import type { ModuleUploads } from './module-uploads.js';
import { isRemoteFunction } from './remote-function.js';
import type { CallableFunction } from './task-draft.js';
import type { TaskFunction } from './task-function.js';

export class Callables {
  readonly #inline = new InlineFunctions();

  constructor(readonly uploads: ModuleUploads) {}

  /** Throws `FunctionCapturesError` and `InvalidArgumentError` for what cannot travel. */
  of(fn: TaskFunction): CallableFunction {
    if (isRemoteFunction(fn)) return { name: fn.name, ref: fn.ref, ready: this.uploads.ready(fn.ref) };
    if (typeof fn !== 'function') throw notCallable(fn);
    const { name, ref, bytes } = this.#inline.of(fn);
    this.uploads.add(ref.moduleHash, bytes);
    return { name, ref, ready: this.uploads.ready(ref) };
  }
}

function notCallable(value: unknown): InvalidArgumentError {
  return new InvalidArgumentError(
    `Only a function or a handle from load() can be submitted, not ${value === null ? 'null' : typeof value}. ` +
      `Is the name exported by the module?`,
  );
}
