/**
 * Sets that cost nothing while empty and one reference with one member: most tasks have at most one dependent, one
 * client and one holder, and there are a million of them. Members are never Sets themselves.
 */
export type SmallSet<T extends object> = undefined | T | Set<T>;

const NOTHING: readonly never[] = [];

/** The set with `item` in it. The result replaces the argument. */
export function smallAdd<T extends object>(set: SmallSet<T>, item: T): T | Set<T> {
  if (set === undefined || set === item) return item;
  if (set instanceof Set) return set.add(item);
  return new Set([set, item]);
}

/** The set without `item`. The result replaces the argument. */
export function smallDelete<T extends object>(set: SmallSet<T>, item: T): SmallSet<T> {
  if (set === item) return undefined;
  if (!(set instanceof Set)) return set;
  set.delete(item);
  return set.size === 0 ? undefined : set;
}

export function smallHas<T extends object>(set: SmallSet<T>, item: T): boolean {
  return set instanceof Set ? set.has(item) : set === item;
}

export function smallSize(set: SmallSet<object>): number {
  if (set === undefined) return 0;
  return set instanceof Set ? set.size : 1;
}

/** The members, oldest first. Do not change the set while looping: copy first. */
export function smallValues<T extends object>(set: SmallSet<T>): Iterable<T> {
  if (set === undefined) return NOTHING;
  return set instanceof Set ? set : [set];
}
