/**
 * The values of a worker in a container that the user supplied (founding document, "User-defined managed memory
 * containers"). The container has bytes only; encodings and byte counts are kept here.
 *
 * Invariants: a value held is in RAM here until the container has taken it, never in neither place. What is returned is as
 * long as what was put; of the bytes themselves the container is in charge. What the user's code throws goes no further
 * than `onTrouble`.
 *
 * Eviction is an approximation: the memory machine names keys, the container picks its own. As many of the named are
 * called evicted as the bytes cover that it freed; what is left over counts for the next time. Sums are right, identities
 * are not. A value that is read counts as in RAM again, as containers of two tiers put it there.
 */
import type { TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import type {
  EvictOutcome,
  NotEvictedReason,
  SpillCounters,
  SpilledRead,
  SpillingStore,
} from '@spillway/ports';
import { hasManualEviction, type ManualEviction, type ValueContainer } from '@spillway/value-container';
import { stopwatch } from '../thread/stopwatch.js';
import { compacted } from '../tiers/backing.js';
import { ContainedValues, type ContainedValue } from './contained-values.js';
import { ContainerTrouble, type ContainerTroubleReport } from './container-trouble.js';
import { evictBytes, type ManualEvictionOutcome } from './manual-eviction.js';
import { OperationQueue } from './operation-queue.js';

export interface ContainerStoreOptions {
  /** Requires: empty. */
  readonly container: ValueContainer;
  /** `close` closes the container too: it was made for this worker. */
  readonly closesContainer: boolean;
  /** The container does not have the value any more, or not all of it. It is not held any longer. */
  readonly onLost: (keys: readonly TaskKey[], reason: 'damaged' | 'gone') => void;
  /** Something went wrong in the container; not again until the same has worked. */
  readonly onTrouble: (report: ContainerTroubleReport) => void;
}

/** Sets and deletions under way at a time. */
const OPERATIONS_MAX = 16;
/** A value that was refused so often is only tried again when it is to be evicted. */
const SETS_MAX = 3;

export class ContainerStore implements SpillingStore {
  /** Whether the container can be told to move values out of RAM: whether `evict` may be asked. */
  readonly canEvict: boolean;
  readonly #container: ValueContainer;
  readonly #values = new ContainedValues();
  readonly #queue = new OperationQueue(OPERATIONS_MAX);
  readonly #trouble: ContainerTrouble;
  readonly #refused = new Set<ContainedValue>();
  readonly #reads = new Map<ContainedValue, Promise<Payload | undefined>>();
  readonly #counters = {
    writeCount: 0,
    writeBytes: 0,
    writeSeconds: 0,
    readCount: 0,
    readBytes: 0,
    readSeconds: 0,
  };
  #lastEviction: Promise<unknown> = Promise.resolve();
  #isClosing = false;
  #isClosed = false;

  constructor(private readonly options: ContainerStoreOptions) {
    this.#container = options.container;
    this.#trouble = new ContainerTrouble(options.onTrouble);
    this.canEvict = hasManualEviction(options.container);
  }

  get managedBytes(): number {
    return this.#values.managedBytes;
  }

  /** Bytes that the container moved out of RAM, as they were put. */
  get spilledBytes(): number {
    return this.#values.movedOutBytes;
  }

  /** Of what was moved out of RAM, and of what was read after it had been. The container compresses as it likes. */
  get spillCounters(): SpillCounters {
    return {
      ...this.#counters,
      compressBytes: 0,
      compressSeconds: 0,
      decompressBytes: 0,
      decompressSeconds: 0,
    };
  }

  get keyCount(): number {
    return this.#values.size;
  }

  keys(): Iterable<TaskKey> {
    return this.#values.keys();
  }

  has(key: TaskKey): boolean {
    return this.#values.get(key) !== undefined;
  }

  /** `disk`: counts as moved out of RAM. */
  location(key: TaskKey): 'ram' | 'disk' | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    return value.place.name === 'moved-out' ? 'disk' : 'ram';
  }

  peek(key: TaskKey): Payload | undefined {
    return this.#values.get(key)?.payload;
  }

  put(key: TaskKey, payload: Payload): void {
    if (!this.has(key)) this.#write(this.#values.add(key, compacted(payload)));
  }

  async load(key: TaskKey): Promise<Payload | undefined> {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    return value.payload ?? this.#readOnce(value);
  }

  free(key: TaskKey): void {
    const value = this.#values.get(key);
    if (value !== undefined) this.#drop(value);
  }

  /** Asks the container once at a time, so that it need not expect anything else. */
  evict(keys: readonly TaskKey[]): Promise<EvictOutcome> {
    const ended = this.#lastEviction.then(() => this.#evict(keys));
    this.#lastEviction = ended;
    return ended;
  }

  /** Where a container has its values is its own affair. */
  openRead(): SpilledRead | undefined {
    return undefined;
  }

  /** Nobody reads past the container. */
  reportUnreadable(): void {
    return;
  }

  /** Waits for what the container is doing, and for deletions. What it was not given yet it is not given any more. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#lastEviction;
    await Promise.all(this.#reads.values());
    await this.#queue.idle();
    this.#isClosed = true;
    if (!this.options.closesContainer) return;
    try {
      await this.#container.close?.();
    } catch (error) {
      this.#trouble.failed('close', 'could not be closed', error);
    }
  }

  #write(value: ContainedValue): void {
    this.#refused.delete(value);
    const { payload } = value;
    if (payload === undefined) return;
    this.#values.move(value, { name: 'queued', payload });
    value.written = this.#queue.run(value.key, () => this.#set(value, payload));
  }

  async #set(value: ContainedValue, payload: Payload): Promise<void> {
    if (!this.#isHeld(value)) return;
    if (this.#isClosing) {
      this.#values.move(value, { name: 'refused', payload });
      return;
    }
    this.#values.move(value, { name: 'setting', payload });
    value.setCount++;
    try {
      await this.#container.set(value.key, payload.data);
    } catch (error) {
      this.#trouble.failed('set', `did not take ${value.key}`, error);
      if (this.#isHeld(value)) this.#refuse(value, payload);
      return;
    }
    this.#trouble.worked('set');
    if (this.#isHeld(value)) this.#values.move(value, { name: 'contained' });
    this.#retryOne();
  }

  #refuse(value: ContainedValue, payload: Payload): void {
    this.#values.move(value, { name: 'refused', payload });
    if (value.setCount < SETS_MAX) this.#refused.add(value);
  }

  /** The container takes values again: one that it had refused is next. */
  #retryOne(): void {
    const [refused] = this.#refused;
    if (refused !== undefined) this.#write(refused);
  }

  /** All who want it while it is being read share the read. */
  #readOnce(value: ContainedValue): Promise<Payload | undefined> {
    const underWay = this.#reads.get(value);
    if (underWay !== undefined) return underWay;
    const reading = this.#read(value).finally(() => this.#reads.delete(value));
    this.#reads.set(value, reading);
    return reading;
  }

  async #read(value: ContainedValue): Promise<Payload | undefined> {
    const seconds = stopwatch();
    // What the user's code gives is not believed to be what its type says.
    let bytes: unknown;
    try {
      bytes = await this.#container.get(value.key);
      this.#trouble.worked('get');
    } catch (error) {
      if (this.#isHeld(value)) this.#trouble.failed('get', `could not give ${value.key}`, error);
    }
    // Freed, and perhaps put again, meanwhile: what came may belong to either.
    if (!this.#isHeld(value)) return this.load(value.key);
    if (!ArrayBuffer.isView(bytes) || bytes.byteLength !== value.byteCount) {
      this.#drop(value);
      this.options.onLost([value.key], bytes === undefined || bytes === null ? 'gone' : 'damaged');
      return undefined;
    }
    if (value.place.name === 'moved-out') this.#readBack(value, seconds());
    const data = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return { encoding: value.encoding, data };
  }

  #readBack(value: ContainedValue, seconds: number): void {
    this.#counters.readCount++;
    this.#counters.readBytes += value.byteCount;
    this.#counters.readSeconds += seconds;
    this.#values.move(value, { name: 'contained' });
  }

  async #evict(keys: readonly TaskKey[]): Promise<EvictOutcome> {
    if (!hasManualEviction(this.#container)) return refusedAll(keys);
    const { evicted, failed, candidates } = await this.#sorted(keys);
    const neededBytes = candidates.reduce((sum, { byteCount }) => sum + byteCount, 0);
    const { end } = await this.#free(this.#container, neededBytes - this.#values.creditBytes);
    for (const value of candidates) {
      const { key, byteCount } = value;
      if (!this.#isHeld(value)) failed.push({ key, reason: 'not-held' });
      else if (end.name === 'nothing-left' || byteCount <= this.#values.creditBytes) {
        this.#values.moveOut(value);
        evicted.push({ key, diskBytes: byteCount });
      } else failed.push({ key, reason: 'io-error' });
    }
    return { evicted, kept: [], failed };
  }

  /** What can be said at once of the named keys, and those that the container has in RAM. */
  async #sorted(keys: readonly TaskKey[]): Promise<{
    readonly evicted: { key: TaskKey; diskBytes: number }[];
    readonly failed: { key: TaskKey; reason: NotEvictedReason }[];
    readonly candidates: readonly ContainedValue[];
  }> {
    await Promise.all(keys.map((key) => this.#given(key)));
    const evicted: { key: TaskKey; diskBytes: number }[] = [];
    const failed: { key: TaskKey; reason: NotEvictedReason }[] = [];
    const candidates: ContainedValue[] = [];
    for (const key of keys) {
      const value = this.#values.get(key);
      if (value === undefined) failed.push({ key, reason: 'not-held' });
      else if (value.place.name === 'moved-out') evicted.push({ key, diskBytes: value.byteCount });
      else if (value.place.name === 'contained') candidates.push(value);
      else failed.push({ key, reason: this.#isClosing ? 'closed' : 'io-error' });
    }
    return { evicted, failed, candidates };
  }

  /** Resolves when the container has taken the value, or has not; one that it refused it is asked to take again. */
  async #given(key: TaskKey): Promise<void> {
    const value = this.#values.get(key);
    if (value === undefined) return;
    if (value.place.name === 'refused' && !this.#isClosing) this.#write(value);
    await value.written;
  }

  async #free(container: ManualEviction, neededBytes: number): Promise<ManualEvictionOutcome> {
    const seconds = stopwatch();
    const outcome = await evictBytes(container, neededBytes);
    const { freedBytes, end } = outcome;
    if (end.name === 'failed')
      this.#trouble.failed('evict', 'could not move values out of memory', end.cause);
    else this.#trouble.worked('evict');
    if (freedBytes > 0) {
      this.#counters.writeCount++;
      this.#counters.writeBytes += freedBytes;
      this.#counters.writeSeconds += seconds();
      this.#values.addCredit(freedBytes);
    }
    return outcome;
  }

  #isHeld(value: ContainedValue): boolean {
    return this.#values.get(value.key) === value;
  }

  #drop(value: ContainedValue): void {
    this.#values.delete(value);
    this.#refused.delete(value);
    // A set that was rejected may have left something. One that has not begun leaves nothing.
    if (value.setCount > 0) void this.#queue.run(value.key, () => this.#delete(value.key));
  }

  async #delete(key: TaskKey): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.#container.delete(key);
      this.#trouble.worked('delete');
    } catch (error) {
      this.#trouble.failed('delete', `could not delete ${key}`, error);
    }
  }
}

const refusedAll = (keys: readonly TaskKey[]): EvictOutcome => ({
  evicted: [],
  kept: [],
  failed: keys.map((key) => ({ key, reason: 'io-error' })),
});
