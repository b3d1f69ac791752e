/** The simplest container there is: a map. For tests, and to copy from. */
import type { ValueContainer } from '../value-container.js';

export class MapContainer implements ValueContainer {
  protected readonly values = new Map<string, Uint8Array>();

  get(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.values.get(key));
  }

  // `async`: what it throws is a rejection.
  async set(key: string, bytes: Uint8Array): Promise<void> {
    if (!ArrayBuffer.isView(bytes)) throw new TypeError('A value is a Uint8Array.');
    await Promise.resolve(this.values.set(key, bytes));
  }

  delete(key: string): Promise<void> {
    this.values.delete(key);
    return Promise.resolve();
  }

  async *keys(): AsyncIterable<string> {
    for (const key of this.values.keys()) yield await Promise.resolve(key);
  }

  count(): Promise<number> {
    return Promise.resolve(this.values.size);
  }
}
