/** Reads the process memory (RSS) of one process, in bytes; `undefined` when it is gone. */
export interface ProcessMemory {
  read(pid: number): Promise<number | undefined>;
}

/** Memory of this process. */
export interface OwnMemory {
  /** RSS now. */
  readonly processBytes: number;
  /** Most RSS so far. */
  readonly processPeakBytes: number;
  /** Committed by the heap of the isolate that asks, and not used. */
  readonly heapUnusedBytes: number;
}

/** Measures this process; costs some tens of microseconds. */
export interface OwnMemoryReader {
  read(): OwnMemory;
}

/** The C library's allocator of this process. */
export interface Malloc {
  /** `other`: macOS, Windows. Only `glibc` can be trimmed. */
  readonly kind: 'glibc' | 'jemalloc' | 'musl' | 'other';
  /** Freed, but kept; `undefined` when it cannot be told. After a trim it may still count pages that went back. */
  freeBytes(): number | undefined;
  /** Gives back what is kept, in another thread. False: this allocator cannot, or must not, be told to. Never rejects. */
  trim(): Promise<boolean>;
}
