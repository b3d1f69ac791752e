/** A store on a disk in memory, and what specs do with the two. */
import { setImmediate } from 'node:timers/promises';
import type { TaskKey } from '@spillway/kernel';
import { TwoTierStore, type TwoTierStoreOptions } from '../two-tier-store.js';
import { FakeDisk, type FakeDiskOptions } from './fake-disk.js';

interface Parts {
  readonly disk: FakeDisk;
  readonly lost: readonly TaskKey[];
  readonly store: TwoTierStore;
}

export function aStore(options: Partial<TwoTierStoreOptions> = {}, diskOptions: FakeDiskOptions = {}): Parts {
  const disk = new FakeDisk({ segmentBytes: 64 * 1024 * 1024, ...diskOptions });
  const lost: TaskKey[] = [];
  const store = new TwoTierStore({
    disk,
    maxSpillBytes: false,
    onLost: (keys) => lost.push(...keys),
    ...options,
  });
  return { disk, lost, store };
}

/** Has the disk do what it is asked until it is asked nothing more. */
export async function settle(disk: FakeDisk): Promise<void> {
  for (;;) {
    await setImmediate();
    if (!disk.step()) break;
  }
}

/** Puts them on disk only. */
export async function evicted(store: TwoTierStore, disk: FakeDisk, ...keys: TaskKey[]): Promise<void> {
  const evicting = store.evict(keys);
  await settle(disk);
  const { failed } = await evicting;
  if (failed.length > 0) throw new Error(`Not evicted: ${JSON.stringify(failed)}`);
}
