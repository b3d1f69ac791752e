/**
 * Makes one CommonJS text of a task module and everything it imports (esbuild), with its source map, so that stacks
 * name the user's files. Packages with native code stay outside; `@spillway/client` becomes the few functions that
 * work inside a task.
 */
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ModuleNotLoadableError } from '@spillway/kernel';
import type { build as buildWithEsbuild, BuildFailure, BuildOptions, Message, Plugin } from 'esbuild';
import { isNativePackage, packageFolder, packageNameOf, packageOfFile } from './native-packages.js';
import { TASK_RUNTIME_MODULE } from './task-runtime-module.js';

export interface BundleOptions {
  /** Further conditions of `exports` in packages, besides Node's own. */
  readonly conditions?: readonly string[] | undefined;
  /** Packages to leave outside, to be found on the workers. */
  readonly external?: readonly string[] | undefined;
}

export interface Bundle {
  readonly text: Uint8Array;
  /** `undefined` when the module is CommonJS itself: its exports are known only when it runs. */
  readonly exportNames: readonly string[] | undefined;
  /** Packages that the workers have to have installed. */
  readonly externalPackages: readonly string[];
}

type Build = typeof buildWithEsbuild;

/** Builds repeated because an addon turned up inside of a package. */
const ROUNDS_MAX = 8;

/** `file`: path of the module. Rejects with `ModuleNotLoadableError`. */
export async function bundleModule(file: string, options: BundleOptions): Promise<Bundle> {
  const build = await loadEsbuild();
  const outside = new OutsidePackages(options.external ?? []);
  for (let round = 0; ; round += 1) {
    const foundBefore = outside.count;
    try {
      return await bundleOnce(build, file, options, outside);
    } catch (error) {
      if (outside.count === foundBefore || round === ROUNDS_MAX) throw notLoadable(file, error);
    }
  }
}

async function bundleOnce(
  build: Build,
  file: string,
  options: BundleOptions,
  outside: OutsidePackages,
): Promise<Bundle> {
  const common = commonOptions(file, options, outside);
  // The list of exports exists only for ES modules, so it is taken from a second, cheap build.
  const [bundled, analysed] = await Promise.all([
    build({ ...common, format: 'cjs', sourcemap: 'inline', sourcesContent: true, keepNames: true }),
    build({ ...common, format: 'esm', sourcemap: false, metafile: true }),
  ]);
  const entry = Object.values(analysed.metafile.outputs).find((output) => output.entryPoint !== undefined);
  const input = entry?.entryPoint === undefined ? undefined : analysed.metafile.inputs[entry.entryPoint];
  return {
    text: bundled.outputFiles[0]!.contents,
    exportNames: input?.format === 'cjs' ? undefined : (entry?.exports ?? []),
    externalPackages: outside.names,
  };
}

function commonOptions(file: string, options: BundleOptions, outside: OutsidePackages) {
  const folder = dirname(file);
  return {
    entryPoints: [file],
    // Names the output only; nothing is written. Sources in the map are relative to it and become URLs by the root.
    outfile: join(folder, 'spillway-bundle.js'),
    sourceRoot: `${pathToFileURL(folder).href}/`,
    absWorkingDir: folder,
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    logLevel: 'silent',
    legalComments: 'none',
    conditions: [...(options.conditions ?? [])],
    banner: { js: "const __spillwayUrl = require('node:url').pathToFileURL(__filename).href;" },
    define: { 'import.meta.url': '__spillwayUrl' },
    plugins: [taskRuntimePlugin(), outside.plugin()],
  } as const satisfies BuildOptions;
}

/** Loaded when first needed: a client that loads no module does not pay for it. */
async function loadEsbuild(): Promise<Build> {
  try {
    return (await import('esbuild')).build;
  } catch (error) {
    throw new ModuleNotLoadableError(
      'load() bundles modules with the package "esbuild", which could not be loaded. Install it beside @spillway/client.',
      { cause: error },
    );
  }
}

function taskRuntimePlugin(): Plugin {
  return {
    name: 'spillway-task-runtime',
    setup: (build) => {
      build.onResolve({ filter: /^@spillway\/client$/ }, ({ path }) => ({
        path,
        namespace: 'spillway-task-runtime',
      }));
      build.onLoad({ filter: /.*/, namespace: 'spillway-task-runtime' }, () => ({
        contents: TASK_RUNTIME_MODULE,
        loader: 'js',
      }));
    },
  };
}

/** Which packages stay outside of the bundle: those named, and those found to be native. */
class OutsidePackages {
  readonly #names: Set<string>;
  readonly #met = new Set<string>();
  readonly #known = new Map<string, boolean>();

  constructor(named: readonly string[]) {
    this.#names = new Set(named);
  }

  get count(): number {
    return this.#names.size;
  }

  /** Those that the module really imports. */
  get names(): string[] {
    return [...this.#met].sort();
  }

  plugin(): Plugin {
    return {
      name: 'spillway-outside-packages',
      setup: (build) => {
        build.onResolve({ filter: /^[^./]/ }, ({ path, resolveDir, kind }) => {
          const name = kind === 'entry-point' ? undefined : packageNameOf(path);
          if (name === undefined || !this.#isOutside(name, resolveDir)) return undefined;
          this.#met.add(name);
          return { path, external: true };
        });
        build.onResolve({ filter: /\.node$/ }, ({ path, importer }) => this.#onAddon(path, importer));
      },
    };
  }

  #isOutside(name: string, resolveDir: string): boolean {
    if (this.#names.has(name)) return true;
    const folder = packageFolder(name, resolveDir);
    if (folder === undefined) return false;
    let isNative = this.#known.get(folder);
    if (isNative === undefined) this.#known.set(folder, (isNative = isNativePackage(folder)));
    return isNative;
  }

  /** An addon file: its package has to stay outside as a whole, so the build is done again. */
  #onAddon(path: string, importer: string): { errors: { text: string }[] } {
    const name = packageOfFile(importer);
    if (name === undefined) {
      return {
        errors: [{ text: `${importer} loads the native addon "${path}", which cannot travel to workers` }],
      };
    }
    this.#names.add(name);
    return { errors: [{ text: `The package "${name}" loads the native addon "${path}"` }] };
  }
}

function notLoadable(file: string, error: unknown): ModuleNotLoadableError {
  const { errors } = error as Partial<BuildFailure>;
  const reasons = errors?.map(describe) ?? [error instanceof Error ? error.message : String(error)];
  return new ModuleNotLoadableError(
    `${file} could not be bundled:\n${reasons.map((reason) => `  ${reason}`).join('\n')}\n` +
      `Native addons have to be in packages that are installed on the workers.`,
    { details: { file }, cause: error },
  );
}

function describe({ text, location }: Message): string {
  return location === null ? text : `${location.file}:${location.line}:${location.column}: ${text}`;
}
