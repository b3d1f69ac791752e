/** A library that the loader puts in front of all others of a worker, but not of what the worker's tasks start. */

type Environ = Readonly<Record<string, string | undefined>>;

/** Tells a worker which library was preloaded for it alone. Not `SPILLWAY_…`: those are settings. */
const PRELOADED_FOR_WORKER = 'WORKER_PRELOADED_LIBRARY';

const variableOf = (platform: NodeJS.Platform): string =>
  platform === 'darwin' ? 'DYLD_INSERT_LIBRARIES' : 'LD_PRELOAD';

/** glibc separates by colons or spaces, the others by colons. */
const librariesOf = (written: string | undefined): readonly string[] =>
  (written ?? '').split(/[:\s]+/).filter((path) => path !== '');

/** The variables that preload a library in a child, behind what `environ` preloads already. */
export function preloadVariables(
  library: string,
  environ: Environ,
  platform: NodeJS.Platform,
): Readonly<Record<string, string>> {
  const variable = variableOf(platform);
  const others = librariesOf(environ[variable]).filter((path) => path !== library);
  return { [variable]: [...others, library].join(':'), [PRELOADED_FOR_WORKER]: library };
}

/**
 * Takes it out of `environ` again. For the start of a worker, whose own library is loaded by then: programs that tasks start
 * would inherit it, and it need not even be of their kind. What was preloaded for everybody stays.
 */
export function forgetPreload(
  environ: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): void {
  const library = environ[PRELOADED_FOR_WORKER];
  if (library === undefined) return;
  Reflect.deleteProperty(environ, PRELOADED_FOR_WORKER);
  const variable = variableOf(platform);
  const others = librariesOf(environ[variable]).filter((path) => path !== library);
  if (others.length === 0) Reflect.deleteProperty(environ, variable);
  else environ[variable] = others.join(':');
}
