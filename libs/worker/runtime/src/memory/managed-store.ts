/**
 * The worker's store as its runtime sees it: whatever happens to a value, the memory machine hears of it right after. Takes no
 * decision; where values are is the store's, what is to leave RAM is the machine's.
 */
import type { TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import type { SpilledRead, SpillingStore, ValueStore } from '@spillway/ports';
import type { MemoryHappening } from '@spillway/worker-memory';

export class ManagedStore implements ValueStore {
  constructor(
    private readonly store: SpillingStore,
    private readonly tell: (happening: MemoryHappening) => void,
  ) {}

  get managedBytes(): number {
    return this.store.managedBytes;
  }

  get keyCount(): number {
    return this.store.keyCount;
  }

  put(key: TaskKey, payload: Payload): void {
    this.store.put(key, payload);
    this.tell({ type: 'value-stored', key, nbytes: payload.data.byteLength });
  }

  has(key: TaskKey): boolean {
    return this.store.has(key);
  }

  peek(key: TaskKey): Payload | undefined {
    return this.store.peek(key);
  }

  async load(key: TaskKey): Promise<Payload | undefined> {
    const inRam = this.#touch(key);
    if (inRam !== undefined) return inRam;
    const payload = await this.store.load(key);
    if (payload !== undefined) this.tell({ type: 'value-loaded', key });
    return payload;
  }

  /** For a transfer: what is on disk only is not brought into RAM for it. Requires: `release` of a read. */
  serve(key: TaskKey): Promise<Payload | SpilledRead | undefined> {
    const inRam = this.#touch(key);
    if (inRam !== undefined) return Promise.resolve(inRam);
    const read = this.store.openRead(key);
    // A store without files has values that are neither in RAM nor in a file of ours.
    return read === undefined ? this.load(key) : Promise.resolve(read);
  }

  reportUnreadable(read: SpilledRead, reason: 'damaged' | 'gone'): void {
    this.store.reportUnreadable(read, reason);
  }

  free(key: TaskKey): void {
    this.store.free(key);
    this.tell({ type: 'value-freed', key });
  }

  keys(): Iterable<TaskKey> {
    return this.store.keys();
  }

  /** A task begins to use these. Requires: `unpin` of the same, once. */
  pin(keys: readonly TaskKey[]): void {
    if (keys.length > 0) this.tell({ type: 'inputs-pinned', keys });
  }

  unpin(keys: readonly TaskKey[]): void {
    if (keys.length > 0) this.tell({ type: 'inputs-unpinned', keys });
  }

  #touch(key: TaskKey): Payload | undefined {
    const payload = this.store.peek(key);
    if (payload !== undefined) this.tell({ type: 'value-touched', key });
    return payload;
  }
}
