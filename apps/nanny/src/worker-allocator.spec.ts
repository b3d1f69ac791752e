import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProgramStartError } from '@spillway/kernel';
import type { LibraryPlaces } from '@spillway/platform';
import { jemallocVariables } from './worker-allocator.js';

/** A machine with nothing but what the test puts there. */
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'machine-'));
});
afterEach(() => rm(root, { recursive: true }));

async function installJemalloc(folder: string, name: string): Promise<void> {
  const header = Buffer.alloc(64);
  header.write('\x7fELF', 'latin1');
  header.writeUInt16LE(62, 18);
  await mkdir(join(root, folder), { recursive: true });
  await writeFile(join(root, folder, name), header);
}

const places = (platform: NodeJS.Platform = 'linux', environ: NodeJS.ProcessEnv = {}): LibraryPlaces => ({
  platform,
  arch: 'x64',
  environ,
  root,
});

test('jemalloc that is demanded and not there is an error that says what to do', () => {
  const start = (platform: NodeJS.Platform) => () =>
    jemallocVariables({ allocator: 'jemalloc' }, places(platform));
  expect(start('linux')).toThrow(ProgramStartError);
  expect(start('linux')).toThrow('apt-get install libjemalloc2');
  expect(start('darwin')).toThrow('brew install jemalloc');
});

test('where it may be either, the C library’s serves without', () => {
  expect(jemallocVariables({ allocator: 'auto' }, places())).toBeUndefined();
});

test('the C library’s serves where it is wanted, whatever is installed', async () => {
  await installJemalloc('/usr/lib64', 'libjemalloc.so.2');
  expect(jemallocVariables({ allocator: 'system' }, places())).toBeUndefined();
});

test.each(['jemalloc', 'auto'] as const)(
  'with %s a library that is there is preloaded',
  async (allocator) => {
    await installJemalloc('/usr/lib64', 'libjemalloc.so.2');
    expect(jemallocVariables({ allocator }, places('linux', { LD_PRELOAD: '/a.so' }))).toMatchObject({
      library: '/usr/lib64/libjemalloc.so.2',
      preload: { LD_PRELOAD: '/a.so:/usr/lib64/libjemalloc.so.2' },
      settings: { MALLOC_CONF: expect.stringContaining('background_thread:true') as string },
    });
  },
);

test('on macOS the settings go by both names that they can have', async () => {
  await installJemalloc('/opt/homebrew/lib', 'libjemalloc.2.dylib');
  const variables = jemallocVariables({ allocator: 'auto' }, places('darwin'));
  expect(variables?.preload).toMatchObject({
    DYLD_INSERT_LIBRARIES: '/opt/homebrew/lib/libjemalloc.2.dylib',
  });
  expect(Object.keys(variables?.settings ?? {})).toEqual(['MALLOC_CONF', 'JE_MALLOC_CONF']);
});
