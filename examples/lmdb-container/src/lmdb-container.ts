/**
 * Keeps a worker's values in LMDB, a memory-mapped database in a file, so that they take no RAM of the worker's own: what
 * is used stays in the page cache, which the system takes back when it needs it.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ContainerContext, ValueContainer } from '@spillway/value-container';
import { open, type Database, type RootDatabase } from 'lmdb';

/** What stands in `--data-options`. */
export interface LmdbOptions {
  /** Folder of the database, inside the worker's own folder. Default `lmdb`. */
  readonly folder?: string;
  /** Bytes of address space to begin with; LMDB maps more when it needs more. Default 1 GiB. */
  readonly mapBytes?: number;
}

/** For `worker.data`: `lmdb-container.js#createLmdbContainer`. */
export function createLmdbContainer(
  { localDirectory }: ContainerContext,
  { folder = 'lmdb', mapBytes = 1024 ** 3 }: LmdbOptions = {},
): ValueContainer {
  return new LmdbContainer(join(localDirectory, folder), mapBytes);
}

/** LMDB takes keys of up to 1978 bytes. */
const KEY_BYTES_MAX = 1978;
/** First byte of what stands for a key in LMDB. */
const AS_IT_IS = 0;
const HASHED = 1;

class LmdbContainer implements ValueContainer {
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #values: Database<Buffer, Buffer>;
  /** Keys that are too long for LMDB, under their hashes. */
  readonly #longKeys: Database<Buffer, Buffer>;
  #isClosed = false;

  constructor(path: string, mapBytes: number) {
    this.#root = open<Buffer, Buffer>({
      path,
      mapSize: mapBytes,
      encoding: 'binary',
      keyEncoding: 'binary',
      // Nothing of it outlives the worker, so nothing has to be on the disk at any moment.
      noSync: true,
      overlappingSync: false,
    });
    this.#values = this.#root.openDB<Buffer, Buffer>({
      name: 'values',
      encoding: 'binary',
      keyEncoding: 'binary',
    });
    this.#longKeys = this.#root.openDB<Buffer, Buffer>({
      name: 'long-keys',
      encoding: 'binary',
      keyEncoding: 'binary',
    });
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const id = this.#idOf(key);
    // Has the pages read by another thread; `get` copies them, so that what it gives stays as it is.
    await this.#values.prefetch([id]);
    return this.#values.get(id);
  }

  async set(key: string, bytes: Uint8Array): Promise<void> {
    const id = this.#idOf(key);
    // A copy: LMDB writes from the memory it is given, later and in another thread, and cannot do so from shared memory.
    const copy = Buffer.from(bytes);
    await Promise.all([
      this.#values.put(id, copy),
      ...(id[0] === HASHED ? [this.#longKeys.put(id, Buffer.from(key))] : []),
    ]);
  }

  async delete(key: string): Promise<void> {
    const id = this.#idOf(key);
    await Promise.all([this.#values.remove(id), ...(id[0] === HASHED ? [this.#longKeys.remove(id)] : [])]);
  }

  async *keys(): AsyncIterable<string> {
    this.#mustBeOpen();
    for (const id of this.#values.getKeys()) {
      const text = id[0] === HASHED ? this.#longKeys.get(id) : id.subarray(1);
      if (text !== undefined) yield await Promise.resolve(text.toString());
    }
  }

  // `async`: what LMDB throws is a rejection.
  async count(): Promise<number> {
    this.#mustBeOpen();
    return await Promise.resolve(this.#values.getCount());
  }

  /** The worker removes the file with its folder. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#root.close();
  }

  #idOf(key: string): Buffer {
    this.#mustBeOpen();
    const text = Buffer.from(key);
    return text.byteLength < KEY_BYTES_MAX
      ? Buffer.concat([Uint8Array.of(AS_IT_IS), text])
      : Buffer.concat([Uint8Array.of(HASHED), createHash('sha256').update(text).digest()]);
  }

  /** A database that is used after it was closed ends the process. */
  #mustBeOpen(): void {
    if (this.#isClosed) throw new Error('The database is closed.');
  }
}
