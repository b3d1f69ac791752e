/**
 * How much room a worker has for more values, to choose between workers on which a task would start equally early, and for
 * data that is scattered. Whether a worker may be given anything at all is not decided here but by its status.
 */
import type { MemoryReadings } from '@spillway/messages';

/** What is known of a worker's memory. */
export interface KnownMemory {
  readonly memoryLimitBytes: number | false;
  /** Of the last heartbeat; all zero before the first. */
  readonly readings: MemoryReadings;
  /** Sizes of the values it holds, in RAM or on disk, now and when that heartbeat came. */
  readonly heldBytes: number;
  readonly heldBytesAtHeartbeat: number;
}

export interface HeadroomPolicy {
  /** Where workers are expected to start spilling, and to pause: shares of their limit. */
  readonly targetFraction: number | false;
  readonly pauseFraction: number | false;
}

/** Readings this close together are equal, or noise would decide where tasks go: a share of the limit, or bytes without one. */
const GRAIN_FRACTION = 1 / 32;
const GRAIN_BYTES = 64 * 1024 ** 2;

/**
 * The limit without what is in use: process memory that is not merely hoarded (and at least what is managed), and what the
 * worker has come to hold or dropped since it said so. Spilled values take no room. A worker that has not said anything
 * yet uses what it holds. Where the disk takes nothing, memory above target stays, and only what is left until the worker
 * pauses counts. Without a limit, whoever uses less has more room.
 */
export function headroomBytes(memory: KnownMemory, policy: HeadroomPolicy): number {
  const { memoryLimitBytes } = memory;
  const usedBytes = usedBytesOf(memory);
  if (memoryLimitBytes === false) return Number.MAX_SAFE_INTEGER - usedBytes;
  const { spillRefusedBecause } = memory.readings;
  if (spillRefusedBecause === undefined || usedBytes <= memoryLimitBytes * (policy.targetFraction || 0))
    return memoryLimitBytes - usedBytes;
  return Math.max(0, memoryLimitBytes * (policy.pauseFraction || 1) - usedBytes);
}

/**
 * What may be put on a worker because others retire: up to where it is expected to pause, since what is above its target goes
 * to its disk; where that takes nothing, up to its target. Endless without a limit.
 */
export function roomForCopiesBytes(memory: KnownMemory, policy: HeadroomPolicy): number {
  const { memoryLimitBytes, readings } = memory;
  if (memoryLimitBytes === false) return Number.MAX_SAFE_INTEGER - usedBytesOf(memory);
  const { targetFraction, pauseFraction } = policy;
  const fraction =
    readings.spillRefusedBecause === undefined ? pauseFraction || 1 : targetFraction || pauseFraction || 1;
  return memoryLimitBytes * fraction - usedBytesOf(memory);
}

function usedBytesOf({ memoryLimitBytes, readings, heldBytes, heldBytesAtHeartbeat }: KnownMemory): number {
  if (readings.processBytes === 0) return heldBytes;
  const { processBytes, hoardedBytes, managedBytes } = readings;
  const grainBytes = memoryLimitBytes === false ? GRAIN_BYTES : memoryLimitBytes * GRAIN_FRACTION;
  const readBytes = Math.max(processBytes - hoardedBytes, managedBytes);
  return Math.max(0, Math.floor(readBytes / grainBytes) * grainBytes + heldBytes - heldBytesAtHeartbeat);
}
