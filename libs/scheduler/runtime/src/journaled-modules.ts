import type { ModuleHash } from '@spillway/kernel';
import type { JournalRecord, TaskSpec } from '@spillway/messages';
import type { Journal } from '@spillway/ports';
import { ModuleCache } from './module-cache.js';

/** The module bundles, of which the next life of the scheduler knows as well. */
export class JournaledModules {
  readonly #cache: ModuleCache;

  constructor(
    bytesMax: number,
    private readonly journal: Journal | undefined,
  ) {
    this.#cache = new ModuleCache(bytesMax, (moduleHash) =>
      journal?.append([{ type: 'module-dropped', moduleHash }]),
    );
  }

  /** What the lives before left. */
  recover(records: readonly JournalRecord[]): void {
    for (const record of records) {
      if (record.type === 'module-stored') this.#cache.store(record.moduleHash, record.bundle);
      else if (record.type === 'tasks-made') this.markUsed(record.tasks.map(({ spec }) => spec));
    }
  }

  /** Resolves when the bundle is there for the next life, too. Throws `LimitExceededError` when it does not fit. */
  store(hash: ModuleHash, bundle: Uint8Array): Promise<void> {
    const isNew = this.find(hash) === undefined;
    this.#cache.store(hash, bundle);
    const { journal } = this;
    if (journal === undefined) return Promise.resolve();
    if (isNew) journal.append([{ type: 'module-stored', moduleHash: hash, bundle }]);
    return new Promise((resolve) => journal.afterwards(resolve));
  }

  find(hash: ModuleHash): Uint8Array | undefined {
    return this.#cache.find(hash);
  }

  markUsed(tasks: readonly TaskSpec[]): void {
    for (const task of tasks)
      if (task.function.kind === 'bundle') this.#cache.markUsed(task.function.moduleHash);
  }

  markUnused(hash: ModuleHash): void {
    this.#cache.markUnused(hash);
  }
}
