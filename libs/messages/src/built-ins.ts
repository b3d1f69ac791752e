/** Functions that every worker has built in, called like those of a preinstalled module, and what they return. */
export const BUILT_IN_MODULE = 'spillway';

/** `trimMemory`: what came of trimming one worker (founding document, "Manually trim memory"). All in bytes. */
export interface TrimReport {
  readonly allocator: 'glibc' | 'jemalloc' | 'musl' | 'other';
  /** Malloc was told to give back what it keeps; false where it cannot, or must not, be. Garbage was collected all the same. */
  readonly trimmed: boolean;
  /** Process memory. */
  readonly beforeBytes: number;
  readonly afterBytes: number;
  readonly managedBytes: number;
  readonly hoardedBeforeBytes: number;
}

/** `loopDelay`: how late the control loop of a worker was, since the one who asks now asked last, or since its start. */
export interface LoopDelayReport {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}
