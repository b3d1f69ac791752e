import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findJemalloc, type LibraryPlaces } from './find-jemalloc.js';

const X64 = 62;
const ARM64 = 183;
const DEBIAN = '/usr/lib/x86_64-linux-gnu/libjemalloc.so.2';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'libraries-'));
});
afterEach(() => rm(root, { recursive: true }));

async function put(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

/** The start of a library for a processor. */
function library(elfMachine: number): Buffer {
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(elfMachine, 18);
  return header;
}

const find = (more: Partial<LibraryPlaces> = {}): string | undefined =>
  findJemalloc({ platform: 'linux', arch: 'x64', environ: {}, root, ...more });

test('nothing is found where nothing is installed', () => {
  expect(find()).toBeUndefined();
});

test.each([
  ['Debian', 'x64', X64, DEBIAN],
  ['Debian on ARM', 'arm64', ARM64, '/usr/lib/aarch64-linux-gnu/libjemalloc.so.2'],
  ['Fedora', 'x64', X64, '/usr/lib64/libjemalloc.so.2'],
  ['Alpine', 'arm64', ARM64, '/usr/lib/libjemalloc.so.2'],
  ['a build of one’s own', 'x64', X64, '/usr/local/lib/libjemalloc.so.2'],
  ['an older system', 'x64', X64, '/usr/lib64/libjemalloc.so.1'],
] as const)('the folder of %s is looked into', async (_where, arch, elfMachine, path) => {
  await put(path, library(elfMachine));
  expect(find({ arch })).toBe(path);
});

test('a library for another processor is passed over, and so is a file that is none', async () => {
  await put('/usr/local/lib/libjemalloc.so.2', library(ARM64));
  await put('/usr/lib64/libjemalloc.so.2', 'INPUT(-lc)\n');
  expect(find()).toBeUndefined();
  await put(DEBIAN, library(X64));
  expect(find()).toBe(DEBIAN);
});

test('folders that the environment names come first', async () => {
  await put(DEBIAN, library(X64));
  await put('/opt/conda/lib/libjemalloc.so.2', library(X64));
  expect(find({ environ: { CONDA_PREFIX: '/opt/conda' } })).toBe('/opt/conda/lib/libjemalloc.so.2');
  await put('/srv/lib/libjemalloc.so', library(X64));
  expect(find({ environ: { LD_LIBRARY_PATH: '/nowhere::/srv/lib', CONDA_PREFIX: '/opt/conda' } })).toBe(
    '/srv/lib/libjemalloc.so',
  );
});

test('folders are passed over that could not stand in a list of libraries', async () => {
  await put('/opt/my conda/lib/libjemalloc.so.2', library(X64));
  await put('/relative/libjemalloc.so.2', library(X64));
  expect(find({ environ: { CONDA_PREFIX: '/opt/my conda', LD_LIBRARY_PATH: 'relative' } })).toBeUndefined();
});

test('folders that an administrator told the loader of are looked into last', async () => {
  await put('/etc/ld.so.conf.d/zz-own.conf', '# ours\n/srv/a\n/srv/b \n');
  await put('/srv/b/libjemalloc.so.2', library(X64));
  expect(find()).toBe('/srv/b/libjemalloc.so.2');
  await put('/etc/ld-musl-x86_64.path', '/srv/musl:/usr/lib\n');
  await put('/srv/musl/libjemalloc.so.2', library(X64));
  expect(find()).toBe('/srv/musl/libjemalloc.so.2');
});

test('on macOS it is looked for in the folders of Homebrew', async () => {
  const intel = '/usr/local/opt/jemalloc/lib/libjemalloc.2.dylib';
  const apple = '/opt/homebrew/opt/jemalloc/lib/libjemalloc.2.dylib';
  await put(intel, Buffer.alloc(64));
  expect(find({ platform: 'darwin' })).toBe(intel);
  await put(apple, Buffer.alloc(64));
  expect(find({ platform: 'darwin' })).toBe(apple);
  expect(find({ platform: 'win32' })).toBeUndefined();
});
