import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkContainer } from '@spillway/value-container';
import { createLmdbContainer } from './lmdb-container.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'lmdb-container-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

test.each([
  ['', {}],
  [', also while it is opened anew all the time', { readBytesMax: 1 }],
])(
  'it does all that a worker expects of a container%s',
  async (_, options) => {
    let madeCount = 0;
    const report = await checkContainer(() =>
      createLmdbContainer({ localDirectory: join(folder, `${madeCount++}`) }, options),
    );
    expect(report.failed).toEqual([]);
    expect(report.passed.length).toBeGreaterThan(15);
    // It has no tier of its own in RAM.
    expect(report.notApplicable).toContain('No value is lost by evicting.');
  },
  60_000,
);

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

/** Bytes of files that count as memory of this process; 0 where that cannot be told. */
function mappedBytes(): number {
  if (process.platform !== 'linux') return 0;
  const [, kib = '0'] = /RssFile:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kib) * 1024;
}

test('what was read does not stay in the memory of the process', async () => {
  const MIB = 1024 * 1024;
  const container = createLmdbContainer({ localDirectory: folder }, { readBytesMax: 16 * MIB });
  const bytes = new Uint8Array(4 * MIB);
  for (let index = 0; index < 48; index++) await container.set(`k${index}`, bytes.fill(index));
  const beforeBytes = mappedBytes();
  for (let index = 0; index < 48; index++) expect((await container.get(`k${index}`))?.[0]).toBe(index);
  // 192 MiB were read.
  expect(mappedBytes() - beforeBytes).toBeLessThan(64 * MIB);
  await container.close?.();
}, 60_000);

test('when it cannot be opened again, whoever asks hears of it', async () => {
  const container = createLmdbContainer({ localDirectory: folder }, { readBytesMax: 1 });
  await container.set('k', new Uint8Array(10));
  await rm(join(folder, 'lmdb'), { recursive: true });
  await writeFile(join(folder, 'lmdb'), 'no folder');
  await container.get('k');
  await expect(container.get('k')).rejects.toThrow('could not be opened again');
  await container.close?.();
});
