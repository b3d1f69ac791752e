import { LimitExceededError, type ModuleHash } from '@spillway/kernel';

/**
 * The module bundles that clients uploaded, by content hash. Bounded: when full, bundles that no task refers to go,
 * longest unused first; bundles in use never do, and an upload that then still does not fit is refused.
 */
export class ModuleCache {
  readonly #bundles = new Map<ModuleHash, Uint8Array>();
  readonly #unused = new Set<ModuleHash>();
  #bytes = 0;

  constructor(
    private readonly bytesMax: number,
    private readonly onDropped: (hash: ModuleHash) => void = () => undefined,
  ) {}

  store(hash: ModuleHash, bundle: Uint8Array): void {
    if (this.#bundles.has(hash)) return;
    this.#makeRoom(bundle.byteLength);
    this.#bundles.set(hash, bundle);
    this.#bytes += bundle.byteLength;
    // Nothing refers to it yet; the newest of the unused is the last to go.
    this.#unused.add(hash);
  }

  find(hash: ModuleHash): Uint8Array | undefined {
    return this.#bundles.get(hash);
  }

  markUsed(hash: ModuleHash): void {
    this.#unused.delete(hash);
  }

  markUnused(hash: ModuleHash): void {
    if (this.#bundles.has(hash)) this.#unused.add(hash);
  }

  #makeRoom(neededBytes: number): void {
    for (const hash of this.#unused) {
      if (this.#bytes + neededBytes <= this.bytesMax) break;
      this.#bytes -= this.#bundles.get(hash)?.byteLength ?? 0;
      this.#bundles.delete(hash);
      this.#unused.delete(hash);
      this.onDropped(hash);
    }
    if (this.#bytes + neededBytes > this.bytesMax)
      throw new LimitExceededError(
        `A module bundle of ${neededBytes} bytes does not fit: bundles in use hold ${this.#bytes} of ${this.bytesMax} ` +
          `bytes (scheduler.module-cache-max). Release futures of old modules, or raise the setting.`,
      );
  }
}
