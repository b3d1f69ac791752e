/** What a worker does with its values before it makes way for its next life. */
import type { TaskKey } from '@spillway/kernel';
import type { Cancellable, Logger, SpillingStore, Timers } from '@spillway/ports';

export interface WriteOutTools {
  readonly store: SpillingStore;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** The scheduler waits for the next life, and the nanny for this one's end. */
const WRITE_OUT_MS_MAX = 3000;

/** Writes what is in RAM only to disk, as far as there is time, and as far as the disk takes it. Never rejects. */
export async function writeOut({ store, timers, logger }: WriteOutTools): Promise<void> {
  const unwritten = (): TaskKey[] => [...store.keys()].filter((key) => store.location(key) === 'ram');
  const written = store.evict(unwritten());
  let limit: Cancellable | undefined;
  const isOver = new Promise((resolve) => (limit = timers.after(WRITE_OUT_MS_MAX, () => resolve(undefined))));
  await Promise.race([written, isOver]);
  limit?.cancel();
  const unwrittenCount = unwritten().length;
  const leftCount = store.keyCount - unwrittenCount;
  logger.info(
    { event: 'worker.values-left', leftCount, unwrittenCount, spilledBytes: store.spilledBytes },
    `${leftCount} values are on disk for the next life of this worker, ${unwrittenCount} are not`,
  );
}
