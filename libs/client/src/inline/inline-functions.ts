/** Functions that are submitted as they stand: each text is read once and becomes a module of its own. */
import { createHash } from 'node:crypto';
import type { FunctionRef } from '@spillway/messages';
import { moduleHashOf } from '../modules/content-hash.js';
import type { AnyFunction } from '../task-function.js';
import { moduleTextOf } from './function-text.js';

export interface InlineFunction {
  readonly name: string;
  readonly ref: Extract<FunctionRef, { kind: 'bundle' }>;
  readonly bytes: Uint8Array;
}

/** Texts remembered; a closure in a loop is a new function each time, with the same text. */
const TEXTS_MAX = 1000;
const NAME_LENGTH_MAX = 100;

export class InlineFunctions {
  readonly #byFunction = new WeakMap<AnyFunction, InlineFunction>();
  readonly #byText = new Map<string, InlineFunction>();

  /** Throws `FunctionCapturesError` and `InvalidArgumentError`. */
  of(fn: AnyFunction): InlineFunction {
    let inline = this.#byFunction.get(fn);
    if (inline === undefined) {
      inline = this.#ofText(Function.prototype.toString.call(fn), fn.name);
      this.#byFunction.set(fn, inline);
    }
    return inline;
  }

  #ofText(source: string, functionName: string): InlineFunction {
    const name = functionName === '' ? nameless(source) : functionName.slice(0, NAME_LENGTH_MAX);
    const id = `${name}\n${source}`;
    let inline = this.#byText.get(id);
    if (inline === undefined) {
      const bytes = new TextEncoder().encode(moduleTextOf(source, name));
      inline = { name, ref: { kind: 'bundle', moduleHash: moduleHashOf(bytes), exportName: name }, bytes };
      if (this.#byText.size >= TEXTS_MAX) this.#byText.delete(this.#byText.keys().next().value!);
      this.#byText.set(id, inline);
    }
    return inline;
  }
}

/** So that durations are learned for each function and not for all nameless ones together. */
function nameless(source: string): string {
  return `inline_${createHash('sha256').update(source).digest('hex').slice(0, 8)}`;
}
