/**
 * Asks for the values of one fetch in order. Each may take a trip to another thread or to disk, so small values are
 * asked for some ahead; large ones one at a time, as what is loaded and not sent yet is memory.
 */
import type { TaskKey } from '@spillway/kernel';
import { isStreamed, sizeBytesOf, type DataSource, type ServedValue } from './served-value.js';

/** Values up to this count as small. */
const SMALL_BYTES_MAX = 16 * 1024;
const AHEAD_COUNT_MAX = 32;

type Loading = Promise<ServedValue | undefined>;

export class LoadAhead implements Disposable {
  readonly #loading: Loading[] = [];
  #startedCount = 0;
  /** Doubles while values turn out small. */
  #aheadCount = 1;

  constructor(
    private readonly source: Pick<DataSource, 'serve'>,
    private readonly keys: readonly TaskKey[],
  ) {}

  /** The value of the next key. Requires: called at most once for each key, one call at a time. */
  async next(): Loading {
    while (this.#loading.length < this.#aheadCount && this.#startedCount < this.keys.length) this.#start();
    const value = await this.#loading.shift();
    const isSmall = value === undefined || sizeBytesOf(value) <= SMALL_BYTES_MAX;
    this.#aheadCount = isSmall ? Math.min(this.#aheadCount * 2, AHEAD_COUNT_MAX) : 1;
    return value;
  }

  /** Releases what was asked for ahead and is not wanted any more. */
  [Symbol.dispose](): void {
    for (const loading of this.#loading.splice(0)) {
      loading.then(
        (value) => {
          if (value !== undefined && isStreamed(value)) value.release();
        },
        () => undefined,
      );
    }
  }

  #start(): void {
    const key = this.keys[this.#startedCount];
    if (key === undefined) return;
    const loading = this.source.serve(key);
    // Whoever waits for it, in time, hears of the failure; until then nobody does.
    loading.catch(() => undefined);
    this.#startedCount += 1;
    this.#loading.push(loading);
  }
}
