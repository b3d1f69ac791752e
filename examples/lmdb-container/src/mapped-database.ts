/**
 * An LMDB environment that is opened anew once much of it was read. LMDB reads through a mapping of its file, and what was
 * read there counts as memory of this process until it is closed, though the system could take it back: a worker would be
 * paused for it.
 */
import { open, type Database, type RootDatabase } from 'lmdb';

export interface MappedDatabaseOptions {
  readonly path: string;
  /** Bytes of address space to begin with; LMDB maps more when it needs more. */
  readonly mapBytes: number;
  /** Bytes that are read before it is opened anew. */
  readonly readBytesMax: number;
}

export interface Tables {
  readonly values: Database<Buffer, Buffer>;
  /** Keys that are too long for LMDB, under their hashes. */
  readonly longKeys: Database<Buffer, Buffer>;
}

export class MappedDatabase {
  #root: RootDatabase<Buffer, Buffer>;
  #tables: Tables;
  #readBytes = 0;
  #usedCount = 0;
  #unused: () => void = () => undefined;
  #reopening: Promise<void> | undefined;
  /** Why it cannot be used any more. Used after it was closed, LMDB would end the process. */
  #ended: Error | undefined;

  constructor(private readonly options: MappedDatabaseOptions) {
    this.#root = openRoot(options);
    this.#tables = tablesOf(this.#root);
  }

  /** Requires: the tables are not used after what `operate` returns has settled. */
  async use<T>(operate: (tables: Tables) => Promise<T>): Promise<T> {
    while (this.#reopening !== undefined) await this.#reopening;
    if (this.#ended !== undefined) throw this.#ended;
    this.#usedCount++;
    try {
      return await operate(this.#tables);
    } finally {
      if (--this.#usedCount === 0) this.#unused();
    }
  }

  /** Counts what was read; from some point on the next who come wait until it is open again. */
  didRead(bytes: number): void {
    this.#readBytes += bytes;
    if (this.#readBytes < this.options.readBytesMax || this.#ended !== undefined) return;
    this.#readBytes = 0;
    this.#reopening ??= this.#reopen();
  }

  /** Waits for all who use it. */
  async close(): Promise<void> {
    while (this.#reopening !== undefined) await this.#reopening;
    if (this.#ended !== undefined) return;
    this.#ended = new Error('The database is closed.');
    await this.#nobodyUsesIt();
    await this.#root.close();
  }

  /** Does not reject: who comes after it failed hears why. */
  async #reopen(): Promise<void> {
    await this.#nobodyUsesIt();
    try {
      await this.#root.close();
      this.#root = openRoot(this.options);
      this.#tables = tablesOf(this.#root);
    } catch (error) {
      this.#ended = new Error('The database could not be opened again.', { cause: error });
    }
    this.#reopening = undefined;
  }

  async #nobodyUsesIt(): Promise<void> {
    if (this.#usedCount > 0) await new Promise<void>((resolve) => (this.#unused = resolve));
  }
}

const BINARY = { encoding: 'binary', keyEncoding: 'binary' } as const;

const openRoot = ({ path, mapBytes }: MappedDatabaseOptions): RootDatabase<Buffer, Buffer> =>
  // Nothing of it outlives the worker, so nothing has to be on the disk at any moment.
  open<Buffer, Buffer>({ path, mapSize: mapBytes, noSync: true, overlappingSync: false, ...BINARY });

const tablesOf = (root: RootDatabase<Buffer, Buffer>): Tables => ({
  values: root.openDB<Buffer, Buffer>({ name: 'values', ...BINARY }),
  longKeys: root.openDB<Buffer, Buffer>({ name: 'long-keys', ...BINARY }),
});
