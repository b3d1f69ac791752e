/** The folder of a worker that has died, and its successor's store on it: `await using left = …` and `left.adopt()`. */
import { cp } from 'node:fs/promises';
import { bundleThreadEntry, TempFolder } from '@spillway/testkit';
import type { TaskKey } from '@spillway/kernel';
import { scanSpillFolder, type FoundInFolder } from '../disk/scan-folder.js';
import { SpillThread } from '../thread/spill-thread.js';
import { TwoTierStore } from '../two-tier-store.js';
import { SPILL_THREAD_ENTRY } from './spill-rig.js';

export class LeftFolder implements AsyncDisposable {
  readonly lost: TaskKey[] = [];
  readonly #stores: TwoTierStore[] = [];

  private constructor(
    private readonly temporary: TempFolder,
    private readonly entry: URL,
  ) {}

  /** A copy of a folder as it is at this moment: what a worker would leave that is killed now. */
  static async copyOf(folder: string): Promise<LeftFolder> {
    const temporary = await TempFolder.create();
    await cp(folder, temporary.path, { recursive: true });
    return new LeftFolder(temporary, await bundleThreadEntry(SPILL_THREAD_ENTRY, __dirname));
  }

  get path(): string {
    return this.temporary.path;
  }

  scan(announcedBytesMax?: number): Promise<FoundInFolder> {
    return scanSpillFolder(this.path, announcedBytesMax);
  }

  async adopt(found?: FoundInFolder): Promise<TwoTierStore> {
    const store = new TwoTierStore({
      disk: new SpillThread({ entry: this.entry, folder: this.path, compression: false }),
      maxSpillBytes: false,
      leavesValues: true,
      onLost: (keys) => this.lost.push(...keys),
    });
    this.#stores.push(store);
    store.adopt(found ?? (await this.scan()));
    return store;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()));
    await this.temporary[Symbol.asyncDispose]();
  }
}
