/** Real file systems that are full or read-only. Mounting takes a privilege: skipped where there is none. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TempFolder } from '@spillway/testkit';
import { keyOf, noise, SpillRig } from './testing/spill-rig.js';

const MIB = 1024 * 1024;

function mount(folder: string, ...options: string[]): void {
  execFileSync('mount', [...options, folder], { stdio: 'ignore' });
}
const unmount = (folder: string): void => void execFileSync('umount', [folder], { stdio: 'ignore' });

function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-mount-'));
  try {
    mount(folder, '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs');
    unmount(folder);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const onMounts = mayMount() ? describe : describe.skip;

onMounts('on a disk of 20 MiB', () => {
  const shared = (size: number) => ({
    encoding: 'bytes' as const,
    data: new Uint8Array(new SharedArrayBuffer(size)).fill(7),
  });

  async function onSmallDisk(run: (rig: SpillRig, folder: string) => Promise<void>): Promise<void> {
    await using folder = await TempFolder.create();
    mount(folder.path, '-t', 'tmpfs', '-o', 'size=20m', 'tmpfs');
    try {
      await using rig = await SpillRig.start({ localDirectory: folder.path, store: { retryAfterMs: 1000 } });
      await run(rig, folder.path);
    } finally {
      unmount(folder.path);
    }
  }

  test('what fits is spilled, what does not stays in RAM, and all of it is whole', async () => {
    await onSmallDisk(async (rig) => {
      const keys = Array.from({ length: 40 }, (_, index) => keyOf(index));
      for (const key of keys) rig.store.put(key, shared(MIB));
      const { evicted, failed } = await rig.store.evict(keys, 0);

      expect(evicted.length).toBeGreaterThan(15);
      expect(new Set(failed.map(({ reason }) => reason))).toEqual(new Set(['disk-full']));
      expect([evicted.length + failed.length, rig.troubles]).toEqual([40, ['disk-full']]);
      expect(rig.store.managedBytes).toBe(failed.length * MIB);
      for (const key of keys) {
        const data = (await rig.store.load(key))?.data;
        expect([key, data?.byteLength, data?.every((byte) => byte === 7)]).toEqual([key, MIB, true]);
      }
    });
  }, 30_000);

  test('a value larger than the disk leaves nothing behind, and small ones are spilled later', async () => {
    await onSmallDisk(async (rig) => {
      rig.store.put(keyOf('huge'), shared(30 * MIB));
      rig.store.put(keyOf('small'), noise(100));
      expect((await rig.store.evict([keyOf('huge')], 0)).failed).toEqual([
        { key: keyOf('huge'), reason: 'disk-full' },
      ]);
      expect(await rig.segments()).toEqual([]);
      expect((await rig.store.evict([keyOf('small')], 1000)).failed).toEqual([]);
    });
  });

  test('once values are freed there is room again', async () => {
    await onSmallDisk(async (rig) => {
      const keys = Array.from({ length: 30 }, (_, index) => keyOf(index));
      for (const key of keys) rig.store.put(key, shared(MIB));
      const { evicted, failed } = await rig.store.evict(keys, 0);
      for (const { key } of evicted) rig.store.free(key);
      const left = failed.map(({ key }) => key);

      expect((await rig.store.evict(left, 1)).failed).toEqual([]);
    });
  });

  test('it is recognized as memory', async () => {
    await onSmallDisk((rig) => {
      expect(rig.folder.fileSystem).toMatchObject({ memoryKind: 'tmpfs', totalBytes: 20 * MIB });
      return Promise.resolve();
    });
  });

  test('that has become read-only, values stay in RAM and those on it can be read', async () => {
    await onSmallDisk(async (rig, folder) => {
      rig.store.put(keyOf('old'), shared(17 * MIB));
      rig.store.put(keyOf('new'), shared(MIB));
      await rig.store.evict([keyOf('old')], 0);
      mount(folder, '-o', 'remount,ro');

      expect((await rig.store.evict([keyOf('new')], 0)).failed).toEqual([
        { key: keyOf('new'), reason: 'read-only' },
      ]);
      expect((await rig.store.load(keyOf('old')))?.data.byteLength).toBe(17 * MIB);
      mount(folder, '-o', 'remount,rw');
      expect((await rig.store.evict([keyOf('new')], 1000)).failed).toEqual([]);
    });
  });
});
