import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { removeScratchFolder, scratchFolderOf } from './scratch-folder.js';

const fail = (error: unknown): void => {
  throw error;
};

test('a worker id never leads out of the local directory', () => {
  expect(dirname(scratchFolderOf('/data', 'a1/0-1'))).toBe('/data');
  expect(dirname(scratchFolderOf('/data', '../../etc'))).toBe('/data');
  expect(dirname(scratchFolderOf(false, 'a1'))).toBe(tmpdir());
});

test('a folder is removed with what is in it, and one that is not there is no failure', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'scratch-'));
  const path = scratchFolderOf(parent, 'w/0-1');
  await mkdir(join(path, 'modules'), { recursive: true });
  await writeFile(join(path, 'modules', 'm.cjs'), '');

  await removeScratchFolder(path, fail);
  await removeScratchFolder(path, fail);

  expect(existsSync(path)).toBe(false);
  expect(existsSync(parent)).toBe(true);
  await rm(parent, { recursive: true });
});
