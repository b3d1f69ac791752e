import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkContainer } from '@spillway/value-container';
import { createLmdbContainer } from './lmdb-container.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'lmdb-container-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

test('it does all that a worker expects of a container', async () => {
  let madeCount = 0;
  const report = await checkContainer(() =>
    createLmdbContainer({ localDirectory: join(folder, `${madeCount++}`) }),
  );
  expect(report.failed).toEqual([]);
  expect(report.passed.length).toBeGreaterThan(15);
  // It has no tier of its own in RAM.
  expect(report.notApplicable).toContain('No value is lost by evicting.');
}, 60_000);

test('its file grows beyond the map that it began with, in the folder that it was given', async () => {
  const container = createLmdbContainer(
    { localDirectory: folder },
    { folder: 'values', mapBytes: 1024 * 1024 },
  );
  const bytes = new Uint8Array(1024 * 1024);
  for (let index = 0; index < 8; index++) await container.set(`k${index}`, bytes.fill(index));
  for (let index = 0; index < 8; index++) expect((await container.get(`k${index}`))?.at(-1)).toBe(index);
  expect(existsSync(join(folder, 'values'))).toBe(true);
  await container.close?.();
});
