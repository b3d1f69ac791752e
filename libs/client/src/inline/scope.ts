/** The names that one scope of JavaScript declares, and the chain of scopes around it. */

/**
 * `function`: has `arguments`, and `this` of its own. `arrow`: only takes `var`, as the body of any function does.
 * `block`: `let`, `const`, classes and functions.
 */
export type ScopeKind = 'function' | 'arrow' | 'block';

export class Scope {
  readonly #names = new Set<string>();

  constructor(
    readonly kind: ScopeKind,
    readonly parent: Scope | undefined,
    /** Whether `super` may be used here: in methods of classes and objects that are part of the text. */
    readonly hasSuper = false,
  ) {
    if (kind === 'function') this.#names.add('arguments');
  }

  declare(name: string): void {
    this.#names.add(name);
  }

  isDeclared(name: string): boolean {
    return this.#names.has(name) || (this.parent?.isDeclared(name) ?? false);
  }

  /** The scope whose `this` is meant; `undefined` for that of the whole text, which stays behind. */
  get ofThis(): Scope | undefined {
    return this.kind === 'function' ? this : this.parent?.ofThis;
  }
}
