/** A worker's values on a real disk, served by whoever is tested. Dispose it after what serves from it. */
import { readdir } from 'node:fs/promises';
import type { TaskKey } from '@spillway/kernel';
import type { ArrivedValue, SpilledRead, ValueSource } from '@spillway/ports';
import type { Payload } from '@spillway/messages';
import { SpillFolder } from '@spillway/platform';
import { bundleThreadEntry, TempFolder } from '@spillway/testkit';
import { SpillThread, TwoTierStore, type SpillCompression } from '@spillway/worker-store';

const ENTRY = "import { runSpillThread } from '@spillway/worker-store'; runSpillThread();";

let bundled: Promise<URL> | undefined;

export class DiskSource implements ValueSource {
  readonly unreadable: [TaskKey, string][] = [];
  readonly lost: TaskKey[] = [];
  /** Reads that are not released yet. */
  openCount = 0;
  /** Called when a read has been opened; what it returns is waited for. */
  onOpened: (read: SpilledRead) => unknown = () => undefined;
  readonly store: TwoTierStore;

  private constructor(
    private readonly temporary: TempFolder,
    readonly folder: SpillFolder,
    thread: SpillThread,
  ) {
    const onLost = (keys: readonly TaskKey[]): unknown => this.lost.push(...keys);
    this.store = new TwoTierStore({ disk: thread, maxSpillBytes: false, onLost });
  }

  static async create(compression: SpillCompression = false): Promise<DiskSource> {
    const temporary = await TempFolder.create();
    const names = { nannyName: 'n1', workerId: 'worker-1' };
    const folder = await SpillFolder.create({ localDirectory: temporary.path, ...names });
    const entry = await (bundled ??= bundleThreadEntry(ENTRY, __dirname));
    return new DiskSource(temporary, folder, new SpillThread({ entry, folder: folder.path, compression }));
  }

  /** Puts the values on disk only. */
  async spill(values: Readonly<Record<string, Uint8Array>>): Promise<void> {
    const keys = Object.keys(values) as TaskKey[];
    for (const key of keys) this.store.put(key, { encoding: 'bytes', data: values[key]! });
    const { failed } = await this.store.evict(keys);
    if (failed.length > 0) throw new Error(`Not evicted: ${JSON.stringify(failed)}`);
  }

  async serve(key: TaskKey): Promise<Payload | SpilledRead | undefined> {
    const read = this.store.openRead(key);
    if (read === undefined) return this.store.peek(key);
    this.openCount += 1;
    let isOpen = true;
    const release = (): void => {
      if (!isOpen) throw new Error(`${key} was released twice`);
      isOpen = false;
      this.openCount -= 1;
      read.release();
    };
    await this.onOpened(read);
    return { ...read, release };
  }

  reportUnreadable(read: SpilledRead, reason: 'damaged' | 'gone'): void {
    this.unreadable.push([read.key, reason]);
    this.store.reportUnreadable(read, reason);
  }

  accept({ key, payload }: ArrivedValue): Promise<void> {
    this.store.put(key, payload);
    return Promise.resolve();
  }

  /** Names of the files that hold values. */
  async segments(): Promise<string[]> {
    const names = await readdir(this.folder.path).catch(() => []);
    return names.filter((name) => name.endsWith('.segment'));
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.folder.remove();
    await this.temporary[Symbol.asyncDispose]();
  }
}
