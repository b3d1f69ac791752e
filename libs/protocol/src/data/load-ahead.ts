/**
 * Loads the values of one fetch in order. A load may take a trip to another thread or to disk, so small values are
 * loaded some ahead; large ones one at a time, as what is loaded and not sent yet is memory.
 */
import type { TaskKey } from '@spillway/kernel';
import type { Payload } from '@spillway/messages';
import type { ValueSource } from '@spillway/ports';

/** Values up to this count as small. */
const SMALL_BYTES_MAX = 16 * 1024;
const AHEAD_COUNT_MAX = 32;

type Loading = Promise<Payload | undefined>;

export class LoadAhead {
  readonly #loading: Loading[] = [];
  #startedCount = 0;
  /** Doubles while values turn out small. */
  #aheadCount = 1;

  constructor(
    private readonly source: Pick<ValueSource, 'load'>,
    private readonly keys: readonly TaskKey[],
  ) {}

  /** The value of the next key. Requires: called at most once for each key, one call at a time. */
  async next(): Loading {
    while (this.#loading.length < this.#aheadCount && this.#startedCount < this.keys.length) this.#start();
    const payload = await this.#loading.shift();
    const isSmall = (payload?.data.byteLength ?? 0) <= SMALL_BYTES_MAX;
    this.#aheadCount = isSmall ? Math.min(this.#aheadCount * 2, AHEAD_COUNT_MAX) : 1;
    return payload;
  }

  #start(): void {
    const key = this.keys[this.#startedCount];
    if (key === undefined) return;
    const loading = this.source.load(key);
    // Whoever waits for it, in time, hears of the failure; until then nobody does.
    loading.catch(() => undefined);
    this.#startedCount += 1;
    this.#loading.push(loading);
  }
}
