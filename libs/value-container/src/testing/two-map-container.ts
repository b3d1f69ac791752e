/** Two maps, of which one stands for RAM and the other for a place elsewhere: what manual eviction means. */
import type { Evicted, ManualEviction, ValueContainer } from '../value-container.js';

export class TwoMapContainer implements ValueContainer, ManualEviction {
  protected readonly inRam = new Map<string, Uint8Array>();
  protected readonly elsewhere = new Map<string, Uint8Array>();

  get fast(): boolean {
    return this.inRam.size > 0;
  }

  /** The oldest first. */
  evict(): Promise<Evicted> {
    const [oldest] = this.inRam;
    if (oldest === undefined) return Promise.resolve({ reason: 'nothing is in RAM' });
    const [key, bytes] = oldest;
    this.elsewhere.set(key, bytes);
    this.inRam.delete(key);
    return Promise.resolve({ freedBytes: bytes.byteLength });
  }

  get(key: string): Promise<Uint8Array | undefined> {
    const bytes = this.inRam.get(key) ?? this.elsewhere.get(key);
    if (bytes !== undefined) this.#keepInRam(key, bytes);
    return Promise.resolve(bytes);
  }

  async set(key: string, bytes: Uint8Array): Promise<void> {
    if (!ArrayBuffer.isView(bytes)) throw new TypeError('A value is a Uint8Array.');
    this.#keepInRam(key, bytes);
    await Promise.resolve();
  }

  delete(key: string): Promise<void> {
    this.inRam.delete(key);
    this.elsewhere.delete(key);
    return Promise.resolve();
  }

  async *keys(): AsyncIterable<string> {
    for (const key of [...this.inRam.keys(), ...this.elsewhere.keys()]) yield await Promise.resolve(key);
  }

  count(): Promise<number> {
    return Promise.resolve(this.inRam.size + this.elsewhere.size);
  }

  #keepInRam(key: string, bytes: Uint8Array): void {
    this.elsewhere.delete(key);
    this.inRam.delete(key);
    this.inRam.set(key, bytes);
  }
}
