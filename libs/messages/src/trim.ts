/** Module under which functions are called that every worker has built in. */
export const BUILT_IN_MODULE = 'spillway';

/** What came of trimming one worker (founding document, "Manually trim memory"). All in bytes. */
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
