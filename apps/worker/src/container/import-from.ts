/** `import()` as if it stood in a file of some folder: packages are found from there, by Node's own rules. */
import type NodeModule from 'node:module';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

// Public in effect: every transpile hook is built on it. What it gives beyond `vm`: `import()`, without an experimental
// warning in the log of every such worker.
interface CompilableModule extends NodeModule {
  _compile(text: string, filename: string): void;
}
type Import = (specifier: string) => Promise<object>;

// Not by import: test frameworks put a class of their own in its place, which cannot compile.
const { Module } = process.getBuiltinModule('node:module');

/** `place`: a file, from `folder` or absolute, or a package. Rejects with whatever the module or its loading says. */
export function importFrom(folder: string, place: string): Promise<object> {
  const path = resolve(folder, 'spillway-import.cjs');
  const made = new Module(path) as CompilableModule;
  made.filename = path;
  made._compile('module.exports = (specifier) => import(specifier);', path);
  return (made.exports as Import)(isAbsolute(place) ? pathToFileURL(place).href : place);
}

/** A CommonJS module shows its members under `default` where Node did not detect them. */
export function exportOf(module: object, name: string): unknown {
  if (Object.hasOwn(module, name)) return Reflect.get(module, name);
  const fallback: unknown = Reflect.get(module, 'default');
  return typeof fallback === 'object' && fallback !== null && Object.hasOwn(fallback, name)
    ? Reflect.get(fallback, name)
    : undefined;
}
