/**
 * Recognizes npm packages with native code, which cannot travel in a bundle: they stay outside and resolve from the
 * worker's install folder, where the worker names the package if it is not there.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';

interface PackageJson {
  readonly name?: string;
  readonly gypfile?: unknown;
  readonly binary?: unknown;
  readonly napi?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Packages that only loaders and builders of addons depend on. */
const ADDON_LOADERS = new Set([
  'bindings',
  'cmake-js',
  'nan',
  'node-addon-api',
  'node-gyp-build',
  'node-gyp-build-optional-packages',
  'node-pre-gyp',
  '@mapbox/node-pre-gyp',
  'pkg-prebuilds',
  'prebuild-install',
]);

/** As in `@node-rs/xxhash-linux-x64-gnu`: one package for each platform, of which one is installed. */
const PLATFORM_NAME = /(?:^|[-/])(?:linux|darwin|win32|freebsd|android)(?:32|64)?(?:-|$)/;

/** Whether the package in this folder has, or loads, an addon. */
export function isNativePackage(folder: string): boolean {
  if (existsSync(join(folder, 'binding.gyp')) || existsSync(join(folder, 'prebuilds'))) return true;
  const manifest = readManifest(folder);
  if (manifest.gypfile === true || manifest.binary !== undefined || manifest.napi !== undefined) return true;
  if (Object.keys(manifest.dependencies ?? {}).some((name) => ADDON_LOADERS.has(name))) return true;
  return Object.keys(manifest.optionalDependencies ?? {}).some((name) => PLATFORM_NAME.test(name));
}

function readManifest(folder: string): PackageJson {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageJson;
  } catch {
    return {};
  }
}

/** `@scope/name` of `@scope/name/lib/x`; `undefined` for paths and built-ins. */
export function packageNameOf(specifier: string): string | undefined {
  const match = /^(?:@[a-z0-9~._-]+\/)?[a-z0-9~_-][a-z0-9~._-]*/i.exec(specifier);
  return match === null || specifier.startsWith('node:') ? undefined : match[0];
}

/** The folder that the package is installed in, as seen from `fromFolder`. */
export function packageFolder(name: string, fromFolder: string): string | undefined {
  for (let folder = fromFolder; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
    if (dirname(folder) === folder) return undefined;
  }
}

/** The innermost package that a file below `node_modules` belongs to; `undefined` for the application's own files. */
export function packageOfFile(path: string): string | undefined {
  const inside = path.split(`${sep}node_modules${sep}`);
  return inside.length < 2 ? undefined : packageNameOf(inside.at(-1)!.replaceAll(sep, '/'));
}
