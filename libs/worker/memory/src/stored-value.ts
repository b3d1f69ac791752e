import type { TaskKey } from '@spillway/kernel';

/** Where a value is. Never in neither place until it is freed (D8). */
export type Place =
  | { readonly name: 'ram' }
  /** In RAM, with a copy on disk that is as good: evicting it writes nothing. */
  | { readonly name: 'both'; readonly diskBytes: number }
  | { readonly name: 'disk'; readonly diskBytes: number };

export const IN_RAM: Place = { name: 'ram' };

/** What the machine knows of one value. `usedAt` and the links belong to the eviction order. */
export class StoredValue {
  place: Place = IN_RAM;
  /** The eviction under way. Invariant: only for values in RAM. */
  evictId: number | undefined;
  /** How often in a row it could not be written. */
  failedCount = 0;
  /** Until when it is left alone after it could not be written. */
  restUntilMs: number | undefined;

  usedAt = 0;
  older: StoredValue | undefined;
  newer: StoredValue | undefined;
  isListed = false;

  constructor(
    readonly key: TaskKey,
    readonly nbytes: number,
  ) {}

  get isInRam(): boolean {
    return this.place.name !== 'disk';
  }

  get isClean(): boolean {
    return this.place.name === 'both';
  }
}
