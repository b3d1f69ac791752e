/**
 * Which value goes next. Least recently used first, each operation in constant time. Only holds values that can be evicted
 * now: which those are is decided in evictions.ts.
 */
import type { StoredValue } from './stored-value.js';

/** `least-recent`: the founding document's order. `cheapest`: first what is on disk already and need not be written. */
export type Preference = 'least-recent' | 'cheapest' | 'clean-only';

/** Oldest first, linked through the values themselves. */
class UseList {
  oldest: StoredValue | undefined;
  newest: StoredValue | undefined;

  append(value: StoredValue): void {
    value.older = this.newest;
    value.newer = undefined;
    if (this.newest === undefined) this.oldest = value;
    else this.newest.newer = value;
    this.newest = value;
  }

  remove(value: StoredValue): void {
    if (value.older === undefined) this.oldest = value.newer;
    else value.older.newer = value.newer;
    if (value.newer === undefined) this.newest = value.older;
    else value.newer.older = value.older;
    value.older = undefined;
    value.newer = undefined;
  }
}

export class EvictionOrder {
  readonly #clean = new UseList();
  readonly #dirty = new UseList();
  /** Values bigger than the target: keeping one would cost all others their place, so they go first. */
  readonly #heavyClean = new UseList();
  readonly #heavyDirty = new UseList();
  #heavyAboveBytes: number | false = false;
  #useCount = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** As the most recently used. Requires: not listed; and its place does not change while it is. */
  add(value: StoredValue): void {
    value.usedAt = ++this.#useCount;
    value.isListed = true;
    this.#count++;
    this.#listOf(value).append(value);
  }

  /** Nothing happens when it is not listed. */
  remove(value: StoredValue): void {
    if (!value.isListed) return;
    this.#listOf(value).remove(value);
    value.isListed = false;
    this.#count--;
  }

  touch(value: StoredValue): void {
    if (!value.isListed) return;
    const list = this.#listOf(value);
    list.remove(value);
    value.usedAt = ++this.#useCount;
    list.append(value);
  }

  /** The next to go; without `mayWrite`, of those that are on disk already. */
  next(preference: Preference, mayWrite: boolean): StoredValue | undefined {
    const dirty = mayWrite && preference !== 'clean-only' ? this.#dirty.oldest : undefined;
    const heavyDirty = mayWrite && preference !== 'clean-only' ? this.#heavyDirty.oldest : undefined;
    const clean = this.#clean.oldest;
    if (preference === 'least-recent') return this.#heavyClean.oldest ?? heavyDirty ?? older(clean, dirty);
    return this.#heavyClean.oldest ?? clean ?? heavyDirty ?? dirty;
  }

  /** Values of more bytes go first. Takes as long as there are values: the limit changes rarely. */
  setHeavyAbove(bytes: number | false): void {
    const values = [...this.listed()].toSorted((a, b) => a.usedAt - b.usedAt);
    for (const value of values) this.#listOf(value).remove(value);
    this.#heavyAboveBytes = bytes;
    for (const value of values) this.#listOf(value).append(value);
  }

  /** For checks: everything listed, in no useful order. */
  *listed(): IterableIterator<StoredValue> {
    for (const list of [this.#heavyClean, this.#heavyDirty, this.#clean, this.#dirty])
      for (let value = list.oldest; value !== undefined; value = value.newer) yield value;
  }

  #listOf(value: StoredValue): UseList {
    if (this.#heavyAboveBytes !== false && value.nbytes > this.#heavyAboveBytes)
      return value.isClean ? this.#heavyClean : this.#heavyDirty;
    return value.isClean ? this.#clean : this.#dirty;
  }
}

function older(a: StoredValue | undefined, b: StoredValue | undefined): StoredValue | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.usedAt < b.usedAt ? a : b;
}
