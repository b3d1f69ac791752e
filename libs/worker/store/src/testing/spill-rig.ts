/** A real spill thread on a real folder, closed at the end: `await using rig = await SpillRig.start()`. */
import { readdir } from 'node:fs/promises';
import { bundleThreadEntry, TempFolder } from '@spillway/testkit';
import { asTaskKey, type TaskKey } from '@spillway/kernel';
import { SMALL_VALUE_BYTES, type Payload } from '@spillway/messages';
import { SpillFolder } from '@spillway/platform';
import { SpillThread, type SpillThreadOptions } from '../thread/spill-thread.js';
import { TwoTierStore, type TwoTierStoreOptions } from '../two-tier-store.js';

export const SPILL_THREAD_ENTRY =
  "import { runSpillThread } from '@spillway/worker-store'; runSpillThread();";

export interface RigOptions {
  /** Default: a folder for temporary files that is removed at the end. */
  readonly localDirectory?: string;
  readonly thread?: Partial<SpillThreadOptions>;
  readonly store?: Partial<TwoTierStoreOptions>;
}

export class SpillRig implements AsyncDisposable {
  readonly lost: [TaskKey, string][] = [];

  private constructor(
    private readonly temporary: TempFolder,
    readonly folder: SpillFolder,
    readonly thread: SpillThread,
    storeOptions: Partial<TwoTierStoreOptions>,
  ) {
    this.store = new TwoTierStore({
      disk: thread,
      maxSpillBytes: false,
      onLost: (keys, reason) => this.lost.push(...keys.map((key) => [key, reason] as [TaskKey, string])),
      ...storeOptions,
    });
  }

  readonly store: TwoTierStore;

  static async start(options: RigOptions = {}): Promise<SpillRig> {
    const temporary = await TempFolder.create();
    const folder = await SpillFolder.create({
      localDirectory: options.localDirectory ?? temporary.path,
      nannyName: 'n1',
      workerId: 'worker/1',
    });
    const entry = await bundleThreadEntry(SPILL_THREAD_ENTRY, __dirname);
    const thread = new SpillThread({ entry, folder: folder.path, compression: false, ...options.thread });
    return new SpillRig(temporary, folder, thread, options.store ?? {});
  }

  /** Names of the segments on disk. */
  async segments(): Promise<string[]> {
    const names = await readdir(this.folder.path).catch(() => []);
    return names.filter((name) => name.endsWith('.segment')).toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
    await this.folder.remove();
    await this.temporary[Symbol.asyncDispose]();
  }
}

export const keyOf = (name: string | number): TaskKey => asTaskKey(`k-${name}`);

/** Bytes that look random, the same for the same seed, in shared memory when there are many of them. */
export function noise(byteCount: number, seed = 1): Payload {
  const buffer =
    byteCount > SMALL_VALUE_BYTES ? new SharedArrayBuffer(byteCount) : new ArrayBuffer(byteCount);
  const data = new Uint8Array(buffer);
  let state = seed | 1;
  for (let at = 0; at < byteCount; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    data[at] = state >>> 16;
  }
  return { encoding: 'v8', data };
}

/** Bytes that do not shrink, made quickly. */
export function filled(byteCount: number): Payload {
  const data = new Uint8Array(
    byteCount > SMALL_VALUE_BYTES ? new SharedArrayBuffer(byteCount) : new ArrayBuffer(byteCount),
  );
  const block = noise(Math.min(byteCount, 65_536)).data;
  for (let at = 0; at < byteCount; at += block.byteLength) data.set(block.subarray(0, byteCount - at), at);
  return { encoding: 'v8', data };
}

/** Text-like bytes that shrink to a fraction. */
export function shrinkable(byteCount: number): Payload {
  const data = new Uint8Array(new SharedArrayBuffer(byteCount));
  for (let at = 0; at < byteCount; at++) data[at] = 97 + ((at >>> 4) % 20);
  return { encoding: 'json', data };
}
