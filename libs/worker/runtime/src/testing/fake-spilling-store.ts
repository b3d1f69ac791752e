/** A store whose disk is a map, for specs of what is around it. */
import type { TaskKey } from '@spillway/kernel';
import type { Payload, SpillFailureReason } from '@spillway/messages';
import type { EvictOutcome, SpillCounters, SpilledRead, SpillingStore } from '@spillway/ports';

export const aPayload = (nbytes: number): Payload => ({ encoding: 'bytes', data: new Uint8Array(nbytes) });

const NO_COUNTS: SpillCounters = {
  writeCount: 0,
  writeBytes: 0,
  writeSeconds: 0,
  readCount: 0,
  readBytes: 0,
  readSeconds: 0,
  compressBytes: 0,
  compressSeconds: 0,
  decompressBytes: 0,
  decompressSeconds: 0,
};

export class FakeSpillingStore implements SpillingStore {
  readonly ram = new Map<TaskKey, Payload>();
  readonly disk = new Map<TaskKey, Payload>();
  /** What each call of `evict` was asked for. */
  readonly evictions: (readonly TaskKey[])[] = [];
  spillCounters = NO_COUNTS;
  /** The disk takes nothing. */
  refuseBecause: SpillFailureReason | undefined;
  /** What a task uses stays in RAM. */
  isInUse: (key: TaskKey) => boolean = () => false;

  /** After values have left RAM, before that is told. */
  whileEvicting: () => Promise<unknown> = () => Promise.resolve();

  get managedBytes(): number {
    return [...this.ram.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  }

  get keyCount(): number {
    return new Set([...this.ram.keys(), ...this.disk.keys()]).size;
  }

  get spilledBytes(): number {
    return [...this.disk.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  }

  put(key: TaskKey, payload: Payload): void {
    if (!this.has(key)) this.ram.set(key, payload);
  }

  has(key: TaskKey): boolean {
    return this.ram.has(key) || this.disk.has(key);
  }

  peek(key: TaskKey): Payload | undefined {
    return this.ram.get(key);
  }

  load(key: TaskKey): Promise<Payload | undefined> {
    const payload = this.ram.get(key) ?? this.disk.get(key);
    if (payload !== undefined) this.ram.set(key, payload);
    return Promise.resolve(payload);
  }

  free(key: TaskKey): void {
    this.ram.delete(key);
    this.disk.delete(key);
  }

  keys(): Iterable<TaskKey> {
    return new Set([...this.ram.keys(), ...this.disk.keys()]);
  }

  location(key: TaskKey): 'ram' | 'disk' | 'both' | undefined {
    if (!this.ram.has(key)) return this.disk.has(key) ? 'disk' : undefined;
    return this.disk.has(key) ? 'both' : 'ram';
  }

  async evict(keys: readonly TaskKey[]): Promise<EvictOutcome> {
    this.evictions.push(keys);
    await Promise.resolve();
    const outcome = { evicted: [], kept: [], failed: [] } as {
      evicted: EvictOutcome['evicted'][number][];
      kept: EvictOutcome['kept'][number][];
      failed: EvictOutcome['failed'][number][];
    };
    for (const key of keys) {
      const payload = this.ram.get(key);
      if (payload === undefined) outcome.failed.push({ key, reason: 'not-held' });
      else if (this.refuseBecause !== undefined) outcome.failed.push({ key, reason: this.refuseBecause });
      else {
        this.disk.set(key, payload);
        const written = { key, diskBytes: payload.data.byteLength };
        if (this.isInUse(key)) outcome.kept.push(written);
        else {
          this.ram.delete(key);
          outcome.evicted.push(written);
        }
      }
    }
    await this.whileEvicting();
    return outcome;
  }

  openRead(key: TaskKey): SpilledRead | undefined {
    const payload = this.disk.get(key);
    if (payload === undefined) return undefined;
    const { encoding, data } = payload;
    const rawBytes = data.byteLength;
    const release = (): void => undefined;
    return {
      key,
      encoding,
      path: 'fake',
      offset: 0,
      recordBytes: rawBytes,
      rawBytes,
      codec: 'none',
      release,
    };
  }

  reportUnreadable({ key }: SpilledRead): void {
    this.disk.delete(key);
  }
}
