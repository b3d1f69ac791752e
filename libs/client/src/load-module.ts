/** From the URL of a task module to its bundle and the typed handles of its exports. */
import { existsSync } from 'node:fs';
import { extname, isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  InvalidArgumentError,
  LimitExceededError,
  ModuleNotLoadableError,
  type ModuleHash,
} from '@spillway/kernel';
import { MODULE_BYTES_MAX } from '@spillway/messages';
import type { CallOptions } from './call-options.js';
import { bundleModule, type BundleOptions } from './modules/bundle.js';
import { moduleHashOf } from './modules/content-hash.js';
import { handlesOf } from './remote-function.js';
import type { Handles } from './task-function.js';

export interface LoadOptions extends CallOptions, BundleOptions {}

export interface LoadedModule<M> {
  readonly hash: ModuleHash;
  readonly bytes: Uint8Array;
  readonly handles: Handles<M>;
}

export async function loadModule<M>(url: URL | string, options: BundleOptions): Promise<LoadedModule<M>> {
  const file = sourceFileOf(url);
  const { text, exportNames } = await bundleModule(file, options);
  if (text.byteLength > MODULE_BYTES_MAX) {
    throw new LimitExceededError(
      `The bundle of ${file} has ${text.byteLength} bytes, more than the ${MODULE_BYTES_MAX} allowed. ` +
        `Install its larger packages on the workers and name them in the option "external".`,
    );
  }
  const hash = moduleHashOf(text);
  return { hash, bytes: text, handles: handlesOf<M>(hash, exportNames, file) };
}

/** One program is run from its source and compiled: what the named file is called where only the other is there. */
const TWIN_OF: Readonly<Record<string, string>> = {
  '.js': '.ts',
  '.mjs': '.mts',
  '.cjs': '.cts',
  '.ts': '.js',
  '.mts': '.mjs',
  '.cts': '.cjs',
  '.tsx': '.js',
};

function sourceFileOf(url: URL | string): string {
  const file = pathOf(url);
  if (existsSync(file)) return file;
  const suffix = extname(file);
  const ending = TWIN_OF[suffix];
  const twin = ending === undefined ? undefined : file.slice(0, -suffix.length) + ending;
  if (twin !== undefined && existsSync(twin)) return twin;
  throw new ModuleNotLoadableError(
    `There is no file ${file}${twin === undefined ? '' : `, and no ${twin}`}. load() needs the file of the task module; ` +
      `a bundled program has to ship it beside itself.`,
    { details: { file } },
  );
}

function pathOf(url: URL | string): string {
  if (typeof url === 'string' && isAbsolute(url)) return url;
  if (URL.canParse(url.toString()) && new URL(url).protocol === 'file:') return fileURLToPath(url);
  throw new InvalidArgumentError(
    `load() takes a file: URL or an absolute path, not "${url.toString()}". ` +
      `For a module beside the calling one: new URL('./tasks.ts', import.meta.url).`,
  );
}
