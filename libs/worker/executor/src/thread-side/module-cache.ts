/**
 * Finds the function a run names. Bundles are CommonJS text in `moduleFolder` (the main side put them there, verified), or
 * given by the main side where the disk took none;
 * they run as if they lay in `installFolder`, so that packages they leave external resolve from there, by `require`
 * and by `import()`. Preinstalled modules are imported by their file or package name.
 */
import { readFileSync } from 'node:fs';
import Module from 'node:module';
import { isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FunctionNotFoundError, ModuleNotLoadableError, type ModuleHash } from '@spillway/kernel';
import type { FunctionRef } from '@spillway/messages';
import { bundleFileName } from '../bundle-file.js';
import { describeThrown } from './thrown.js';

// Public in effect: every transpile hook is built on it. What it gives beyond `vm`: source maps and `import()`.
interface CompilableModule extends Module {
  _compile(text: string, filename: string): void;
}
type ModulePaths = typeof Module & { _nodeModulePaths(folder: string): string[] };

export type UserFunction = (...args: unknown[]) => unknown;

export interface ModuleFolders {
  readonly moduleFolder: string;
  readonly installFolder: string;
  readonly preinstalled: Readonly<Record<string, string>>;
}

export class ModuleCache {
  readonly #bundles = new Map<string, object>();
  /** Of bundles that are not on disk, until they are loaded. */
  readonly #texts = new Map<ModuleHash, string>();
  readonly #preinstalled = new Map<string, object>();
  readonly #folders: ModuleFolders;
  readonly #importFromInstallFolder: (specifier: string) => Promise<object>;

  constructor(folders: ModuleFolders) {
    this.#folders = folders;
    this.#importFromInstallFolder = this.#run(
      'module.exports = (specifier) => import(specifier);',
      'spillway-import.cjs',
    ) as (specifier: string) => Promise<object>;
  }

  /** At once for what is loaded and for bundles. Throws, or rejects with, FUNCTION_NOT_FOUND or MODULE_NOT_LOADABLE. */
  resolve(ref: FunctionRef): UserFunction | Promise<UserFunction> {
    if (ref.kind === 'bundle') {
      const loaded = this.#bundles.get(ref.moduleHash) ?? this.#loadBundle(ref.moduleHash);
      return functionOf(loaded, ref.exportName, 'the uploaded module');
    }
    const name = `module ${ref.module}`;
    const loaded = this.#preinstalled.get(ref.module);
    if (loaded !== undefined) return functionOf(loaded, ref.exportName, name);
    return this.#loadPreinstalled(ref.module).then((made) => functionOf(made, ref.exportName, name));
  }

  /** A bundle that the disk did not take. */
  take(hash: ModuleHash, bytes: Uint8Array): void {
    if (!this.#bundles.has(hash)) this.#texts.set(hash, new TextDecoder().decode(bytes));
  }

  unload(hashes: readonly ModuleHash[]): void {
    for (const hash of hashes) {
      this.#bundles.delete(hash);
      this.#texts.delete(hash);
    }
  }

  #loadBundle(hash: ModuleHash): object {
    try {
      const name = bundleFileName(hash);
      const text = this.#texts.get(hash) ?? readFileSync(join(this.#folders.moduleFolder, name), 'utf8');
      const loaded = this.#run(text, `spillway-${name}`);
      this.#bundles.set(hash, loaded);
      this.#texts.delete(hash);
      return loaded;
    } catch (error) {
      throw notLoadable('The uploaded module', error);
    }
  }

  async #loadPreinstalled(name: string): Promise<object> {
    const { preinstalled } = this.#folders;
    const place = Object.hasOwn(preinstalled, name) ? preinstalled[name] : undefined;
    if (place === undefined) {
      const known = Object.keys(preinstalled).join(', ') || 'none';
      throw new FunctionNotFoundError(
        `Module ${name} is not preinstalled on this worker (it has: ${known}). Start workers with it, or load it from the client.`,
        { details: { module: name } },
      );
    }
    try {
      const specifier = isAbsolute(place) ? pathToFileURL(place).href : place;
      const namespace = await this.#importFromInstallFolder(specifier);
      const loaded = withDefaultMembers(namespace);
      this.#preinstalled.set(name, loaded);
      return loaded;
    } catch (error) {
      throw notLoadable(`The preinstalled module ${name} (${place})`, error);
    }
  }

  /** Runs CommonJS text as a file of the install folder and gives its exports. */
  #run(text: string, fileName: string): object {
    const path = join(this.#folders.installFolder, fileName);
    const made = new Module(path) as CompilableModule;
    made.filename = path;
    made.paths = (Module as ModulePaths)._nodeModulePaths(this.#folders.installFolder);
    made._compile(text, path);
    const exported: unknown = made.exports;
    return (typeof exported === 'object' && exported !== null) || typeof exported === 'function'
      ? exported
      : {};
  }
}

/** A CommonJS module shows its members under `default` where Node did not detect them. */
function withDefaultMembers(namespace: object): object {
  const fallback: unknown = Reflect.get(namespace, 'default');
  return typeof fallback === 'object' && fallback !== null ? { ...fallback, ...namespace } : namespace;
}

function functionOf(exported: object, exportName: string, moduleName: string): UserFunction {
  // Own members only: `toString` and its like are not exports.
  const found: unknown = Object.hasOwn(exported, exportName) ? Reflect.get(exported, exportName) : undefined;
  if (typeof found === 'function') return found as UserFunction;
  const names = Object.keys(exported).join(', ') || 'nothing';
  const what = found === undefined ? 'no export' : `an export that is not a function (${typeof found}) at`;
  throw new FunctionNotFoundError(
    `There is ${what} ${exportName} in ${moduleName}, which exports: ${names}. Check the name.`,
    { details: { export: exportName } },
  );
}

function notLoadable(what: string, error: unknown): ModuleNotLoadableError {
  const { summary, stack } = describeThrown(error);
  const made = new ModuleNotLoadableError(
    `${what} could not be loaded: ${summary}. Packages it leaves external must be installed on the worker.`,
    { cause: error },
  );
  if (stack !== undefined) made.stack = stack;
  return made;
}
