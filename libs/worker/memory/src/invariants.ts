/** What the memory machine promises of itself, looked at from outside its counters. For the end of every test. */
import type { Accounting } from './accounting.js';
import type { MemoryContext } from './context.js';
import type { Evictions } from './evictions.js';

/** The first promise that is broken, as a sentence. */
export function brokenPromise(context: MemoryContext): string | undefined {
  const { accounting, evictions, thresholds } = context;
  return (
    brokenTotals(accounting) ??
    brokenOrder(accounting, evictions) ??
    brokenLeaving(accounting, evictions) ??
    brokenParts(context) ??
    (thresholds.targetBytes === false ? undefined : brokenTarget(context, thresholds.targetBytes))
  );
}

function brokenTotals(accounting: Accounting): string | undefined {
  let ramBytes = 0;
  let cleanBytes = 0;
  let diskBytes = 0;
  for (const { place, nbytes } of accounting.all()) {
    if (place.name !== 'disk') ramBytes += nbytes;
    if (place.name === 'both') cleanBytes += nbytes;
    if (place.name !== 'ram') diskBytes += place.diskBytes;
  }
  if (ramBytes !== accounting.ramBytes) return `In RAM are ${ramBytes} bytes, not ${accounting.ramBytes}`;
  if (cleanBytes !== accounting.cleanBytes)
    return `Clean are ${cleanBytes} bytes, not ${accounting.cleanBytes}`;
  return diskBytes === accounting.diskBytes
    ? undefined
    : `On disk are ${diskBytes} bytes, not ${accounting.diskBytes}`;
}

function brokenOrder(accounting: Accounting, evictions: Evictions): string | undefined {
  const listed = new Set(evictions.order.listed());
  if (listed.size !== evictions.order.count)
    return `${listed.size} values are listed, not ${evictions.order.count}`;
  for (const value of accounting.all()) {
    const isDue =
      value.isInRam &&
      value.evictId === undefined &&
      value.restUntilMs === undefined &&
      !evictions.isPinned(value.key);
    if (isDue !== listed.has(value) || isDue !== value.isListed)
      return `${value.key} ${isDue ? 'could be evicted and is not listed' : 'is listed and cannot be evicted'}`;
    listed.delete(value);
  }
  return listed.size === 0 ? undefined : 'A value that was freed is listed';
}

function brokenLeaving(accounting: Accounting, evictions: Evictions): string | undefined {
  let leavingBytes = 0;
  let debtBytes = 0;
  for (const value of accounting.all()) {
    if (value.evictId === undefined) continue;
    if (!value.isInRam) return `${value.key} is being evicted and is not in RAM`;
    leavingBytes += value.nbytes;
    if (!value.isClean) debtBytes += value.nbytes;
  }
  return leavingBytes === evictions.leavingBytes && debtBytes === evictions.debtBytes
    ? undefined
    : `Leaving are ${leavingBytes} bytes (${debtBytes} to be written), not ${evictions.leavingBytes} (${evictions.debtBytes})`;
}

function brokenParts({ breakdown }: MemoryContext): string | undefined {
  const { processBytes, managedBytes, unmanagedOldBytes, unmanagedRecentBytes, hoardedBytes } = breakdown;
  if (managedBytes + unmanagedOldBytes + unmanagedRecentBytes !== processBytes)
    return 'The parts of process memory do not add up to it';
  return hoardedBytes <= unmanagedOldBytes + unmanagedRecentBytes
    ? undefined
    : 'More is hoarded than is unmanaged';
}

/** Above target only what cannot leave may be left in RAM, unless one `evict` was too short for all. */
function brokenTarget(context: MemoryContext, targetBytes: number): string | undefined {
  const { accounting, evictions } = context;
  if (accounting.ramBytes - evictions.leavingBytes <= targetBytes) return undefined;
  return evictions.hasCandidate && evictions.leavingCount === 0
    ? 'Managed memory is above target, and a value that could be spilled is not'
    : undefined;
}
