/**
 * Carries an eviction out in parts, so that the memory machine hears of what has left RAM while the rest is still being
 * written: memory that has come free admits tasks again.
 */
import type { TaskKey } from '@spillway/kernel';
import type { EvictOutcome, SpillingStore } from '@spillway/ports';
import type { MemoryHappening } from '@spillway/worker-memory';

const PART_BYTES = 8 * 1024 * 1024;

/** Tells of every key once, unless it was freed meanwhile. */
export function evictInParts(
  store: SpillingStore,
  evictId: number,
  keys: readonly TaskKey[],
  tell: (happening: MemoryHappening) => void,
): void {
  for (const part of partsOf(store, keys)) {
    // The store never rejects. Parts are queued in order.
    void store.evict(part).then((outcome) => {
      for (const happening of happeningsOf(evictId, outcome, store)) tell(happening);
    });
  }
}

function* partsOf(store: SpillingStore, keys: readonly TaskKey[]): Generator<TaskKey[]> {
  let part: TaskKey[] = [];
  let bytes = 0;
  for (const key of keys) {
    part.push(key);
    bytes += store.peek(key)?.data.byteLength ?? 0;
    if (bytes < PART_BYTES) continue;
    yield part;
    part = [];
    bytes = 0;
  }
  if (part.length > 0) yield part;
}

function happeningsOf(
  evictId: number,
  { evicted, kept, failed }: EvictOutcome,
  store: SpillingStore,
): MemoryHappening[] {
  const happenings: MemoryHappening[] = [];
  // Of a part some have left RAM long before the last: somebody may have read one back since.
  const gone = evicted.filter(({ key }) => store.location(key) !== 'both');
  const isBack = evicted.filter(({ key }) => store.location(key) === 'both');
  if (gone.length > 0) happenings.push({ type: 'evict-done', evictId, evicted: gone });
  if (kept.length + isBack.length > 0)
    happenings.push({ type: 'evict-kept', evictId, kept: [...kept, ...isBack] });
  for (const reason of new Set(failed.map((failure) => failure.reason))) {
    // What was freed is known to be gone.
    if (reason === 'not-held') continue;
    const keys = failed.filter((failure) => failure.reason === reason).map(({ key }) => key);
    happenings.push({ type: 'evict-failed', evictId, keys, reason });
  }
  return happenings;
}
