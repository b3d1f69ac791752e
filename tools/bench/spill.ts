import { setImmediate, setTimeout } from 'node:timers/promises';
import { asTaskKey, type TaskKey } from '@spillway/kernel';
import { SpillFolder } from '@spillway/platform';
import { bundleThreadEntry, TempFolder } from '@spillway/testkit';
import { noDisk, scanSpillFolder, SpillThread, TwoTierStore } from '@spillway/worker-store';
import type { Figure } from './bench.js';
import { watchLoop } from './loop-delay.js';
import { timedMs } from './statistics.js';

const LARGE_COUNT = 40;
const LARGE_BYTES = 50_000_000;
const SMALL_COUNT = 200_000;
const SMALL_BYTES = 4096;
/** What the memory machine asks for at a time. */
const KEYS_PER_EVICT = 1000;
const FREED_PER_TURN = 20;
const CONTENT_COUNT = 10;
const IDLE_MS = 2000;

/** How fast values go to the disk under the folder for temporary files, and what the control loop notices of it. */
export async function spilling(): Promise<readonly Figure[]> {
  return [
    ...(await idle()),
    ...(await withStore(({ store }) => large(store))),
    ...(await withStore(small)),
    ...(await withStore(({ store }) => freeing(store, 'nothing noted'), false)),
    ...(await withStore(({ store }) => content(store, 'text', text()))),
    ...(await withStore(({ store }) => content(store, 'floats', floats()))),
    ...(await withStore(({ store }) => content(store, 'noise', noise(LARGE_BYTES)))),
  ];
}

/** What the machine itself does to a loop that does nothing. */
async function idle(): Promise<readonly Figure[]> {
  const delay = watchLoop();
  await setTimeout(IDLE_MS);
  return [delay('with nothing to do')];
}

async function large(store: TwoTierStore): Promise<readonly Figure[]> {
  const keys = keysOf('large', LARGE_COUNT);
  const data = noise(LARGE_BYTES);
  for (const key of keys) store.put(key, { encoding: 'bytes', data });
  const what = `${LARGE_COUNT} × ${LARGE_BYTES / 1e6} MB`;
  const delay = watchLoop();
  const spillMs = await timedMs(() => evictAll(store, keys));
  const spillDelay = delay(`spilling ${what}`);
  const again = watchLoop();
  const loadMs = await timedMs(async () => {
    for (const key of keys) {
      await store.load(key);
      await evictAll(store, [key]);
    }
  });
  const bytes = LARGE_COUNT * LARGE_BYTES;
  return [
    speed(`spill ${what}`, bytes, spillMs, 'shared buffers, one evict'),
    spillDelay,
    speed(`read back ${what}`, bytes, loadMs, 'one after the other'),
    again(`reading back ${what}`),
  ];
}

async function small({ store, folder }: Parts): Promise<readonly Figure[]> {
  const keys = putSmall(store);
  await setTimeout(100);
  const what = `${SMALL_COUNT} × ${SMALL_BYTES / 1024} KiB`;
  const delay = watchLoop();
  const ms = await timedMs(() => evictAll(store, keys));
  const spilled = delay(`spilling ${what}`);
  return [
    speed(`spill ${what}`, SMALL_COUNT * SMALL_BYTES, ms, `evicts of ${KEYS_PER_EVICT}`),
    spilled,
    ...(await freeing(store, 'each noted on disk')),
    ...(await adopting(folder)),
  ];
}

function putSmall(store: TwoTierStore): readonly TaskKey[] {
  const keys = keysOf('small', SMALL_COUNT);
  for (const [index, key] of keys.entries())
    store.put(key, { encoding: 'bytes', data: new Uint8Array(SMALL_BYTES).fill(index) });
  return keys;
}

/** Two of five, so that nothing is compacted; until the disk has done what it was asked. */
async function freeing(store: TwoTierStore, noted: string): Promise<readonly Figure[]> {
  const keys = putSmall(store);
  await evictAll(store, keys);
  const freed = keys.filter((_, index) => index % 5 < 2);
  const kept = keys[2];
  const delay = watchLoop();
  const ms = await timedMs(async () => {
    for (let from = 0; from < freed.length; from += FREED_PER_TURN) {
      for (const key of freed.slice(from, from + FREED_PER_TURN)) store.free(key);
      await setImmediate();
    }
    if (kept !== undefined) await store.load(kept);
  });
  const what = `${freed.length} of ${keys.length} spilled values`;
  const how = `${FREED_PER_TURN} a turn, ${noted}`;
  return [
    { what: `free ${what}`, value: freed.length / (ms / 1000), unit: 'values/s', how },
    delay(`freeing ${what}`),
  ];
}

/** As a successor does, from the files as they are. */
async function adopting(folder: string): Promise<readonly Figure[]> {
  const delay = watchLoop();
  let count = 0;
  const ms = await timedMs(async () => {
    const found = await scanSpillFolder(folder);
    const store = new TwoTierStore({ disk: noDisk('closed'), maxSpillBytes: false, onLost: () => undefined });
    count = store.adopt(found).length;
  });
  const what = `${count} small spilled values`;
  return [
    { what: `adopt ${what}`, value: ms / 1000, unit: 's', how: `of ${SMALL_COUNT} in the files` },
    delay(`adopting ${what}`),
  ];
}

/** What `auto` makes of values of one kind. */
async function content(store: TwoTierStore, kind: string, data: Uint8Array): Promise<readonly Figure[]> {
  const keys = keysOf(kind, CONTENT_COUNT);
  for (const key of keys) store.put(key, { encoding: 'bytes', data });
  const ms = await timedMs(() => evictAll(store, keys));
  const codecs = keys.map((key) => {
    const read = store.openRead(key);
    read?.release();
    return read?.codec ?? 'nothing';
  });
  const bytes = CONTENT_COUNT * data.byteLength;
  const counts = [...new Set(codecs)].map(
    (name) => `${name} ${codecs.filter((codec) => codec === name).length}`,
  );
  const share = Math.round((store.spilledBytes / bytes) * 100);
  return [
    speed(`spill ${kind}, compression auto`, bytes, ms, `${counts.join(', ')}; ${share} % of its size`),
  ];
}

async function evictAll(store: TwoTierStore, keys: readonly TaskKey[]): Promise<void> {
  for (let from = 0; from < keys.length; from += KEYS_PER_EVICT) {
    const { failed } = await store.evict(keys.slice(from, from + KEYS_PER_EVICT));
    if (failed.length > 0) throw new Error(`Not spilled: ${JSON.stringify(failed[0])}`);
  }
}

interface Parts {
  readonly store: TwoTierStore;
  readonly folder: string;
}

/** `leavesValues`: to a successor. */
async function withStore(
  work: (parts: Parts) => Promise<readonly Figure[]>,
  leavesValues = true,
): Promise<readonly Figure[]> {
  await using temporary = await TempFolder.create();
  const names = { nannyName: 'bench', workerId: 'worker-1' };
  const folder = await SpillFolder.create({ localDirectory: temporary.path, ...names });
  const entry = await bundleThreadEntry(
    "import { runSpillThread } from '@spillway/worker-store'; runSpillThread();",
    import.meta.dirname,
  );
  const disk = new SpillThread({ entry, folder: folder.path });
  const store = new TwoTierStore({
    disk,
    maxSpillBytes: false,
    leavesValues,
    onLost: () => undefined,
  });
  await disk.collectGarbage();
  try {
    return await work({ store, folder: folder.path });
  } finally {
    await store.close();
    await folder.remove();
  }
}

const keysOf = (name: string, count: number): TaskKey[] =>
  Array.from({ length: count }, (_, index) => asTaskKey(`${name}-${index}`));

const speed = (what: string, bytes: number, ms: number, how: string): Figure => ({
  what,
  value: bytes / 1e6 / (ms / 1000),
  unit: 'MB/s',
  how,
});

function noise(byteCount: number): Uint8Array {
  const data = new Uint8Array(new SharedArrayBuffer(byteCount));
  let state = 1;
  for (let at = 0; at < byteCount; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    data[at] = state >>> 16;
  }
  return data;
}

/** Measurements with one decimal. */
function floats(): Uint8Array {
  const data = new Float64Array(new SharedArrayBuffer(LARGE_BYTES));
  for (let at = 0; at < data.length; at++) data[at] = Math.round(1000 * Math.sin(at / 50)) / 10;
  return new Uint8Array(data.buffer);
}

function text(): Uint8Array {
  const data = new Uint8Array(new SharedArrayBuffer(LARGE_BYTES));
  const words = ['spill', 'worker', 'memory', 'the', 'of', 'segment', '{"id":', '"name":', 'null},'];
  let state = 1;
  for (let at = 0; at < data.length;) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    const word = `${words[(state >>> 16) % words.length]!}${(state >>> 20) % 100} `;
    for (let index = 0; index < word.length && at < data.length; index++) data[at++] = word.charCodeAt(index);
  }
  return data;
}
