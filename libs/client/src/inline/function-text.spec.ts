import { runInNewContext } from 'node:vm';
import { FunctionCapturesError, InvalidArgumentError } from '@spillway/kernel';
import { InlineFunctions } from './inline-functions.js';
import { moduleTextOf } from './function-text.js';

/** The variables that the error names; nothing for a function that can travel. */
function capturedBy(source: string): string {
  try {
    moduleTextOf(source, 'f');
    return '';
  } catch (error) {
    if (error instanceof FunctionCapturesError) return error.details['variables']!;
    throw error;
  }
}

/** What the function gives on the other side. */
function run(source: string, ...args: unknown[]): unknown {
  const module = { exports: {} as Record<string, (...given: unknown[]) => unknown> };
  runInNewContext(moduleTextOf(source, 'f'), { module, console, require, setTimeout, process });
  return module.exports['f']!(...args);
}

describe('self-contained functions', () => {
  test.each<[what: string, source: string]>([
    ['an arrow with an expression', '(a, b) => a + b'],
    ['an arrow with a body', '(a) => { const b = a; return b; }'],
    ['an async arrow', 'async (a) => { await a; }'],
    ['a function', 'function (a) { return a; }'],
    ['a function that calls itself', 'function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2); }'],
    ['an async generator', 'async function* (n) { for await (const x of n) yield x; }'],
    ['a method', 'total(rows) { return rows.length; }'],
    ['an async method', 'async total(rows) { return await rows; }'],
    ['a method with a text for a name', '"the total"(rows) { return rows; }'],
    ['a rest parameter', '(...all) => all.length'],
    ['an object pattern with a default and a new name', '({ a, b: c = 1, ...rest }) => [a, c, rest]'],
    ['an array pattern with a hole', '([a, , [b] = []]) => a + b'],
    ['a default that uses an earlier parameter', '(a, b = a * 2) => b'],
    ['a pattern in a declaration', '(o) => { const { x, y: { z = x } } = o; return z; }'],
    ['an assignment to a pattern', '(o) => { let a, b; ({ a, b } = o); [a, b] = [b, a]; return a; }'],
    ['a var used before its declaration', '() => { x = 1; if (x) { var x; } return x; }'],
    ['a var of a loop, used after it', '(n) => { for (var i = 0; i < n; i++); return i; }'],
    ['a function declared later', '() => { return later(); function later() { return 1; } }'],
    ['a class declared inside', '(n) => { class A { get() { return n; } } return new A().get(); }'],
    ['a class that refers to itself', '() => class A { static make() { return new A(); } }'],
    [
      'a class with fields, private members and a static block',
      '() => { class A { #x = 1; y = this.#x; static z; static { A.z = 2; } } return A.z; }',
    ],
    [
      'a class that extends another inside',
      '() => { class A {} class B extends A { constructor() { super(); } } return new B(); }',
    ],
    ['computed names of members', '(k) => { class A { [k]() {} static [k + "2"] = 1; } return { [k]: A }; }'],
    ['a catch parameter', '() => { try { throw 1; } catch ({ message }) { return message; } }'],
    ['a catch without parameter', '() => { try { return 1; } catch { return 2; } }'],
    [
      'labels',
      '(n) => { outer: for (const i of n) { for (const j of i) { if (j) continue outer; else break outer; } } }',
    ],
    ['for with let', '(n) => { let s = 0; for (let i = 0, m = n; i < m; i++) s += i; return s; }'],
    ['for in and for of', '(o) => { for (const k in o) for (const [a, b] of o[k]) return a + b + k; }'],
    [
      'a switch with declarations',
      '(x) => { switch (x) { case 1: { let y = 1; return y; } default: const z = 2; return z; } }',
    ],
    ['template literals and tags', '(a) => String.raw`x${a}` + `y${`z${a}`}`'],
    ['optional chaining and nullish', '(a) => a?.b?.[a.c]?.(a) ?? null'],
    [
      'names of properties that are no variables',
      '(o) => { const p = { outside: 1, method() { return this.outside; } }; return o.outside + p.method(); }',
    ],
    [
      'globals of the language and of Node',
      '() => [Math, JSON, Promise, Buffer, process, console, setTimeout, structuredClone, undefined, NaN, globalThis]',
    ],
    [
      'dynamic import',
      'async () => { const { readFile } = await import("node:fs/promises"); return readFile; }',
    ],
    ['require', '() => require("node:os").cpus()'],
    ['arguments of a function', 'function () { return arguments.length; }'],
    ['this of a function inside', '() => { function A() { this.x = 1; } return new A().x; }'],
    ['new.target of a function inside', '() => function A() { return new.target; }'],
    ['a regular expression', '(s) => /outside/u.exec(s)'],
    ['a comment at the end', '(a) => a // outside'],
    ['shadowing', '(a) => { { let a = 1; { const a = 2; return a; } } }'],
    ['a parameter of an inner function', '(xs) => xs.map((x) => xs.map((y) => x + y))'],
    ['a sequence, a comma and void', '(a) => (void 0, a)'],
    ['a name given by esbuild', '(a) => { const f = /* @__PURE__ */ __name((x) => x, "f"); return f(a); }'],
    [
      'counters of istanbul',
      '(a) => { cov_1ab2c3().f[0]++; cov_1ab2c3().s[0]++; return a ? (cov_1ab2c3().b[0][0]++, 1) : 2; }',
    ],
    ['sloppy code', 'function (o) { with (o) { return 1; } }'],
    [
      'a function of a block, used outside of it in sloppy code',
      'function (o) { with (o) {} if (o) { function g() {} } return g; }',
    ],
    ['getters and setters', '() => ({ get a() { return 1; }, set a(v) { this.b = v; } })'],
    [
      'super in a method inside',
      '() => ({ __proto__: { m() { return 1; } }, m() { return super.m(); } }).m()',
    ],
    ['big integers, exponents and separators', '() => 10n ** 3n + BigInt(1_000)'],
  ])('%s can travel', (_what, source) => {
    expect(capturedBy(source)).toBe('');
  });
});

describe('functions that use something from outside', () => {
  test.each<[what: string, source: string, variables: string]>([
    ['a variable', '(a) => a * rate', 'rate'],
    ['two variables', '(a) => a * rate + tax', 'rate, tax'],
    ['the same variable twice', '(a) => rate + rate', 'rate'],
    ['a function called', '(a) => helper(a)', 'helper'],
    ['an import as CommonJS compilers write it', '(a) => (0, _tasks.sum)(a)', '_tasks'],
    ['a variable in a default', '(a = outside) => a', 'outside'],
    ['a default that does not see the body', '(a = b) => { var b = 1; return a; }', 'b'],
    ['a variable in a nested default', '({ a = { b: outside } }) => a', 'outside'],
    ['a computed name in a pattern', '({ [key]: a }) => a', 'key'],
    ['a shorthand property', '() => ({ outside })', 'outside'],
    ['a computed property', '(o) => o[outside]', 'outside'],
    ['an assignment', '() => { outside = 1; }', 'outside'],
    ['an assignment to a pattern', '(o) => { ({ a: outside } = o); }', 'outside'],
    ['a target of for of', '(o) => { for (outside of o); }', 'outside'],
    ['typeof', '() => typeof outside', 'outside'],
    ['a tag', '() => tag`x`', 'tag'],
    ['inside a template', '() => `${outside}`', 'outside'],
    ['a base class', '() => class extends Base {}', 'Base'],
    ['a class field', '() => class { x = outside; }', 'outside'],
    ['a computed member', '() => class { [outside]() {} }', 'outside'],
    ['a static block', '() => class { static { outside(); } }', 'outside'],
    ['let after its block', '() => { { let x = 1; } return x; }', 'x'],
    ['let of a loop after it', '() => { for (let i = 0; i < 1; i++); return i; }', 'i'],
    ['a function of a block after it, in strict code', '() => { { function g() {} } return g; }', 'g'],
    ['the name of a function expression outside of it', '() => { (function g() {})(); return g; }', 'g'],
    ['the name of a class expression outside of it', '() => { (class A {}); return A; }', 'A'],
    ['a catch parameter after it', '() => { try { f(); } catch (e) {} return e; }', 'f, e'],
    ['a var of a function inside', '() => { function g() { var y; } g(); return y; }', 'y'],
    ['a var of a static block', '() => { class A { static { var y; } } return [A, y]; }', 'y'],
    ['itself by the name of its variable', '(n) => n < 2 ? n : fib(n - 1)', 'fib'],
    ['this in an arrow', '() => this.x', 'this'],
    ['this in an arrow inside an arrow', '() => () => this', 'this'],
    ['this in a method', 'total() { return this.rows; }', 'this'],
    ['this in the default of a parameter', '(a = this) => a', 'this'],
    ['this in a computed member of a class inside', '() => class { [this.x]() {} }', 'this'],
    ['arguments in an arrow', '() => arguments[0]', 'arguments'],
    ['super in a method', 'total() { return super.total(); }', 'super'],
    ['super in an arrow', '() => super.total()', 'super'],
    ['import.meta', '() => import.meta.url', 'import.meta'],
    [
      'what belongs to a module and not to Node',
      '() => [__dirname, module, exports]',
      '__dirname, module, exports',
    ],
    ['globals of a test runner', '() => expect(1)', 'expect'],
    ['globals of a browser', '() => window.document', 'window'],
    ['an argument of import()', '() => import(path)', 'path'],
    ['a label of the same name as a variable', '() => { x: for (;;) { break x; } return x; }', 'x'],
  ])('%s is named', (_what, source, variables) => {
    expect(capturedBy(source)).toBe(variables);
  });

  test('the message says what to do', () => {
    expect(() => moduleTextOf('(a) => a * rate', 'price')).toThrow(
      /price uses "rate".*Pass it as an argument.*load/,
    );
  });
});

describe('functions without a text of their own', () => {
  test.each<[what: string, made: string]>([
    ['a native function', 'Math.max'],
    ['a bound function', '(function () {}).bind(null)'],
    ['a class', 'class A {}'],
    ['a getter', 'Object.getOwnPropertyDescriptor({ get a() { return 1; } }, "a").get'],
    ['a method with a computed name', '({ [Symbol.iterator]() {} })[Symbol.iterator]'],
    ['a private method', 'class { static #p() {} static get() { return this.#p; } }.get()'],
    ['a proxy', 'new Proxy(() => 1, {})'],
  ])('%s is refused', (_what, made) => {
    const fn: unknown = runInNewContext(`(${made})`);
    expect(() => new InlineFunctions().of(fn as () => void)).toThrow(InvalidArgumentError);
  });
});

describe('the module of a function', () => {
  test.each<[what: string, source: string, args: unknown[], result: unknown]>([
    ['an arrow', '(a, b) => a + b', [1, 2], 3],
    ['a function that calls itself', 'function fact(n) { return n < 2 ? 1 : n * fact(n - 1); }', [5], 120],
    ['a method', 'total(rows) { return rows.length; }', [[1, 2]], 2],
    ['a method with a text for a name', '"the total"(rows) { return rows; }', [7], 7],
    [
      'a name given by esbuild',
      '(a) => { const f = __name((x) => x, "g"); return f.name + f(a); }',
      [1],
      'g1',
    ],
    ['counters of istanbul', '(a) => { cov_1ab2c3().f[0]++; cov_1ab2c3().b[7][0]++; return a; }', [1], 1],
    [
      'strict code stays strict',
      'function () { return (function () { return this === undefined; })(); }',
      [],
      true,
    ],
    [
      'sloppy code stays sloppy',
      'function () { with ({}) {} return (function () { return this === undefined; })(); }',
      [],
      false,
    ],
    ['a comment at the end', '(a) => a // twice', [1], 1],
  ])('%s runs', (_what, source, args, result) => {
    expect(run(source, ...args)).toBe(result);
  });

  test('has one hash for one text, and the name of the function', () => {
    const inline = new InlineFunctions();
    const make = (): ((a: number) => number) => (a) => a + 1;
    const [one, two] = [inline.of(make()), inline.of(make())];
    expect(two).toBe(one);
    expect(one.name).toMatch(/^inline_[0-9a-f]{8}$/);
    expect(
      inline.of(function price(a: number) {
        return a;
      }).ref,
    ).toMatchObject({ kind: 'bundle', exportName: 'price' });
  });

  test('remembers a bounded number of texts', () => {
    const inline = new InlineFunctions();
    const nth = (n: number): (() => number) => runInNewContext(`() => ${n}`) as () => number;
    const first = inline.of(nth(0));
    for (let n = 1; n <= 1000; n += 1) inline.of(nth(n));
    expect(inline.of(nth(0))).not.toBe(first);
    expect(inline.of(nth(1000))).toBe(inline.of(nth(1000)));
  });
});
