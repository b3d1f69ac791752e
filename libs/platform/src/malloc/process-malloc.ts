import type { Clock, Malloc } from '@spillway/ports';
import { systemFiles } from '../limits/file-tree.js';
import { systemClock } from '../system-clock.js';
import { loadGlibcCalls, type GlibcCalls } from './glibc-calls.js';
import { mallocKindOf } from './malloc-kind.js';

/** Less than this cannot be hoarded by a process that has not grown by it. */
const WORTH_BYTES = 32 * 2 ** 20;
/**
 * Asking may take one part in so many of the caller's time. It takes 3 µs where few pieces are free, and 4 ms where 150,000
 * are; then the answer is some tenths of a second old.
 */
const TIME_PARTS = 100;

export interface GlibcMallocOptions {
  readonly clock: Clock;
  /** Process memory now. */
  readonly processBytes: () => number;
  /** Throws where they cannot be had. */
  readonly load: () => GlibcCalls;
}

/**
 * The allocator of this process, by what is mapped into it. glibc alone is ever told to trim: `malloc_trim` is there under
 * jemalloc too, and would work on a heap that nobody uses.
 */
export function processMalloc(): Malloc {
  const kind = mallocKindOf(systemFiles.read('/proc/self/maps'));
  if (kind !== 'glibc') return { kind, freeBytes: () => undefined, trim: () => Promise.resolve(false) };
  return new GlibcMalloc({
    clock: systemClock,
    processBytes: () => process.memoryUsage.rss(),
    load: loadGlibcCalls,
  });
}

/** glibc's allocator. Its functions are bound once the process has grown, or is told to trim. */
export class GlibcMalloc implements Malloc {
  readonly kind = 'glibc';
  readonly #options: GlibcMallocOptions;
  readonly #firstProcessBytes: number;
  /** `false`: they cannot be had here. */
  #calls: GlibcCalls | false | undefined;
  #freeBytes: number | undefined;
  #restUntilMs = -Infinity;
  #trimming: Promise<boolean> | undefined;

  constructor(options: GlibcMallocOptions) {
    this.#options = options;
    this.#firstProcessBytes = options.processBytes();
  }

  /** `undefined` also before the process has grown by 32 MiB: nothing is known, and nothing can be worth a trim. */
  freeBytes(): number | undefined {
    const { clock, processBytes } = this.#options;
    // A trim holds the lock of an arena, for which the question would wait on this thread.
    if (this.#trimming !== undefined) return this.#freeBytes;
    if (this.#calls === undefined && processBytes() < this.#firstProcessBytes + WORTH_BYTES) return undefined;
    const calls = this.#load();
    const askedAtMs = clock.nowMs();
    if (calls === false || askedAtMs < this.#restUntilMs) return this.#freeBytes;
    this.#freeBytes = calls.freeBytes();
    const answeredAtMs = clock.nowMs();
    this.#restUntilMs = answeredAtMs + (answeredAtMs - askedAtMs) * (TIME_PARTS - 1);
    return this.#freeBytes;
  }

  /** Whoever asks while one runs gets that one's outcome. */
  trim(): Promise<boolean> {
    this.#trimming ??= this.#trim().finally(() => (this.#trimming = undefined));
    return this.#trimming;
  }

  async #trim(): Promise<boolean> {
    const calls = this.#load();
    if (calls === false) return false;
    try {
      await calls.trim();
    } catch {
      // Too many calls are queued, or memory is so short that none can be: the next pressure asks again.
      return false;
    }
    // What was measured before is no longer true.
    this.#restUntilMs = -Infinity;
    return true;
  }

  #load(): GlibcCalls | false {
    if (this.#calls !== undefined) return this.#calls;
    try {
      this.#calls = this.#options.load();
    } catch {
      // A processor that koffi was not built for: memory is then kept, as without trimming.
      this.#calls = false;
    }
    return this.#calls;
  }
}
