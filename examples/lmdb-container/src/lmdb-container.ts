/** Keeps a worker's values in LMDB, a database in a file. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ContainerContext, ValueContainer } from '@spillway/value-container';
import { MappedDatabase } from './mapped-database.js';

/** What stands in `--data-options`. */
export interface LmdbOptions {
  /** Folder of the database, inside the worker's own folder. Default `lmdb`. */
  readonly folder?: string;
  /** Bytes of address space to begin with; LMDB maps more when it needs more. Default 1 GiB. */
  readonly mapBytes?: number;
  /** About how many bytes of what was read may count as the worker's memory. Default 64 MiB. */
  readonly readBytesMax?: number;
}

/** For `worker.data`: `lmdb-container.js#createLmdbContainer`. */
export function createLmdbContainer(
  { localDirectory }: ContainerContext,
  { folder = 'lmdb', mapBytes = 1024 ** 3, readBytesMax = 64 * 1024 ** 2 }: LmdbOptions = {},
): ValueContainer {
  return new LmdbContainer(
    new MappedDatabase({ path: join(localDirectory, folder), mapBytes, readBytesMax }),
  );
}

/** LMDB takes keys of up to 1978 bytes. */
const KEY_BYTES_MAX = 1978;
/** First byte of what stands for a key in LMDB. */
const AS_IT_IS = 0;
const HASHED = 1;

class LmdbContainer implements ValueContainer {
  constructor(private readonly database: MappedDatabase) {}

  async get(key: string): Promise<Uint8Array | undefined> {
    const id = idOf(key);
    const bytes = await this.database.use(async ({ values }) => {
      // Has the pages read by another thread; `get` copies them, so that what it gives stays as it is.
      await values.prefetch([id]);
      return values.get(id);
    });
    this.database.didRead(bytes?.byteLength ?? 0);
    return bytes;
  }

  async set(key: string, bytes: Uint8Array): Promise<void> {
    const id = idOf(key);
    // A copy: LMDB writes from the memory it is given, later and in another thread, and cannot do so from shared memory.
    const copy = Buffer.from(bytes);
    await this.database.use(({ values, longKeys }) =>
      Promise.all([values.put(id, copy), isHashed(id) ? longKeys.put(id, Buffer.from(key)) : true]),
    );
  }

  async delete(key: string): Promise<void> {
    const id = idOf(key);
    await this.database.use(({ values, longKeys }) =>
      Promise.all([values.remove(id), isHashed(id) ? longKeys.remove(id) : true]),
    );
  }

  async *keys(): AsyncIterable<string> {
    yield* await this.database.use(({ values, longKeys }) => {
      const ids = [...values.getKeys()];
      const texts = ids.map((id) => (isHashed(id) ? longKeys.get(id) : id.subarray(1)));
      // A long key is there a moment after its value.
      return Promise.resolve(texts.flatMap((text) => (text === undefined ? [] : [text.toString()])));
    });
  }

  count(): Promise<number> {
    return this.database.use(({ values }) => Promise.resolve(values.getCount()));
  }

  /** The worker removes the file with its folder. */
  close(): Promise<void> {
    return this.database.close();
  }
}

function idOf(key: string): Buffer {
  const text = Buffer.from(key);
  return text.byteLength < KEY_BYTES_MAX
    ? Buffer.concat([Uint8Array.of(AS_IT_IS), text])
    : Buffer.concat([Uint8Array.of(HASHED), createHash('sha256').update(text).digest()]);
}

const isHashed = (id: Buffer): boolean => id[0] === HASHED;
