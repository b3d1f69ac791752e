import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** Where to look for a library that is to be loaded before all others. */
export interface LibraryPlaces {
  readonly platform: NodeJS.Platform;
  readonly arch: NodeJS.Architecture;
  /** `LD_LIBRARY_PATH`, `CONDA_PREFIX` and `HOMEBREW_PREFIX` of it name folders that come first. */
  readonly environ: Readonly<NodeJS.ProcessEnv>;
  /** In front of every path that is looked at; a test's folder. Default: none. */
  readonly root?: string;
}

/** What differs by processor: the folder of Debian's layout, and the number of the processor in a library's header. */
const PROCESSORS: Readonly<Partial<Record<NodeJS.Architecture, { triplet: string; elfMachine: number }>>> = {
  x64: { triplet: 'x86_64-linux-gnu', elfMachine: 62 },
  arm64: { triplet: 'aarch64-linux-gnu', elfMachine: 183 },
  arm: { triplet: 'arm-linux-gnueabihf', elfMachine: 40 },
  ppc64: { triplet: 'powerpc64le-linux-gnu', elfMachine: 21 },
  s390x: { triplet: 's390x-linux-gnu', elfMachine: 22 },
  riscv64: { triplet: 'riscv64-linux-gnu', elfMachine: 243 },
};
const ELF_HEADER_BYTES = 20;
const ELF_MAGIC = '\x7fELF';

const LINUX_NAMES = ['libjemalloc.so.2', 'libjemalloc.so', 'libjemalloc.so.1'];
const MACOS_NAMES = ['libjemalloc.2.dylib', 'libjemalloc.dylib'];

/**
 * The path, without the root, of a jemalloc that this machine can load; `undefined` when there is none. The folders are those
 * that `ldconfig -p` would tell of, which is missing on musl and in small images.
 */
export function findJemalloc(places: LibraryPlaces): string | undefined {
  const { root = '' } = places;
  if (places.platform === 'darwin')
    return pathsOf(macosFolders(places), MACOS_NAMES).find((path) => isReadable(join(root, path)));
  if (places.platform !== 'linux') return undefined;
  const processor = PROCESSORS[places.arch];
  if (processor === undefined) return undefined;
  const folders = linuxFolders(places, processor.triplet);
  return pathsOf(folders, LINUX_NAMES).find(
    (path) => elfMachineOf(join(root, path)) === processor.elfMachine,
  );
}

const pathsOf = (folders: readonly string[], names: readonly string[]): readonly string[] =>
  folders.flatMap((folder) => names.map((name) => `${folder}/${name}`));

/** Absolute, and without what separates the names in a list of libraries. */
const isAbsolute = (path: string | undefined): path is string => /^\/[^\s:]*$/.test(path ?? '');

function macosFolders({ environ }: LibraryPlaces): readonly string[] {
  const prefixes = [
    environ['CONDA_PREFIX'],
    environ['HOMEBREW_PREFIX'],
    '/opt/homebrew',
    '/usr/local',
    '/opt/local',
  ];
  return prefixes.filter(isAbsolute).flatMap((prefix) => [`${prefix}/opt/jemalloc/lib`, `${prefix}/lib`]);
}

function linuxFolders({ environ, root = '' }: LibraryPlaces, triplet: string): readonly string[] {
  return [
    ...(environ['LD_LIBRARY_PATH'] ?? '').split(':').filter(isAbsolute),
    ...[environ['CONDA_PREFIX'], environ['HOMEBREW_PREFIX']]
      .filter(isAbsolute)
      .map((prefix) => `${prefix}/lib`),
    ...['/usr/local/lib', '/usr/lib', '/lib'].flatMap((lib) => [`${lib}/${triplet}`, `${lib}64`, lib]),
    ...loaderFolders(root),
  ];
}

/** What an administrator told glibc's loader, or musl's: one folder a line, or with colons between. */
function loaderFolders(root: string): readonly string[] {
  const etc = join(root, '/etc');
  const names = [
    ...namesIn(etc).filter((name) => /^(?:ld\.so\.conf|ld-musl-.*\.path)$/.test(name)),
    ...namesIn(join(etc, 'ld.so.conf.d')).map((name) => join('ld.so.conf.d', name)),
  ];
  return names
    .flatMap((name) => textOf(join(etc, name)).split(/[\n:]/))
    .map((line) => line.trim())
    .filter(isAbsolute);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function isReadable(path: string): boolean {
  return headerOf(path) !== undefined;
}

/** Which processor a library is for: one of another is refused by the loader, which then goes on without. */
function elfMachineOf(path: string): number | undefined {
  const header = headerOf(path);
  if (header?.toString('latin1', 0, ELF_MAGIC.length) !== ELF_MAGIC) return undefined;
  const isBigEndian = header[5] === 2;
  return isBigEndian ? header.readUInt16BE(18) : header.readUInt16LE(18);
}

function headerOf(path: string): Buffer | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const header = Buffer.alloc(ELF_HEADER_BYTES);
    return readSync(file, header) === ELF_HEADER_BYTES ? header : undefined;
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
