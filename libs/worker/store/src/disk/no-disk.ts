/** The disk of a worker that has no folder: spilling is off, or the folder could not be made. */
import type { SpillFailureReason } from '@spillway/messages';
import type { SpillDisk, Written } from './spill-disk.js';
import { Tally } from './tally.js';

/** Refuses every write, for this reason. */
export function noDisk(reason: SpillFailureReason): SpillDisk {
  const message = 'This worker has no folder to spill to.';
  const refuse = (items: readonly unknown[]): Promise<readonly Written[]> =>
    Promise.resolve(items.map(() => ({ ok: false, reason, message })));
  return {
    write: refuse,
    copy: refuse,
    markDead: () => Promise.resolve(true),
    read: () => Promise.resolve({ ok: false, reason: 'gone', message }),
    sealSegment: () => undefined,
    deleteSegment: () => undefined,
    pathOf: () => '',
    counters: new Tally().read(),
    close: () => Promise.resolve(),
  };
}
