import { types } from 'node:util';
import type { TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import type { ValueStore } from '@spillway/ports';

/**
 * Keeps every value in RAM, as the encoded bytes it arrived in (architecture.md D2). The whole store of a worker
 * without a memory limit; the RAM tier of one with a limit.
 *
 * Invariant: `managedBytes` is the sum of the bytes of all values held.
 */
export class RamStore implements ValueStore {
  readonly #values = new Map<TaskKey, Payload>();
  #managedBytes = 0;

  /** `onDropped`: the store let go of a shared buffer of so many bytes, which V8 will not collect by itself. */
  constructor(private readonly onDropped: (bytes: number) => void = () => undefined) {}

  get managedBytes(): number {
    return this.#managedBytes;
  }

  get keyCount(): number {
    return this.#values.size;
  }

  put(key: TaskKey, payload: Payload): void {
    if (this.#values.has(key)) {
      this.#drop(payload);
      return;
    }
    this.#values.set(key, payload);
    this.#managedBytes += payload.data.byteLength;
  }

  has(key: TaskKey): boolean {
    return this.#values.has(key);
  }

  peek(key: TaskKey): Payload | undefined {
    return this.#values.get(key);
  }

  load(key: TaskKey): Promise<Payload | undefined> {
    return Promise.resolve(this.#values.get(key));
  }

  free(key: TaskKey): void {
    const payload = this.#values.get(key);
    if (payload === undefined) return;
    this.#values.delete(key);
    this.#managedBytes -= payload.data.byteLength;
    this.#drop(payload);
  }

  keys(): Iterable<TaskKey> {
    return this.#values.keys();
  }

  #drop({ data }: Payload): void {
    if (types.isSharedArrayBuffer(data.buffer)) this.onDropped(data.byteLength);
  }
}
