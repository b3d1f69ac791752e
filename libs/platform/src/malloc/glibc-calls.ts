import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';

/** The two functions of glibc that a worker needs. */
export interface GlibcCalls {
  /** Freed and kept, in all arenas. Locks one arena after the other and walks its free pieces. */
  freeBytes(): number;
  /** Gives back what is kept, on a thread of libuv's pool. Rejects when it could not be asked. */
  trim(): Promise<void>;
}

/** The fields of `struct mallinfo2`; those of the older `struct mallinfo` are the same, as `int`. */
const FIELDS = [
  'arena',
  'ordblks',
  'smblks',
  'hblks',
  'hblkhd',
  'usmblks',
  'fsmblks',
  'uordblks',
  'fordblks',
  'keepcost',
] as const;

type MallocInfo = Readonly<Record<(typeof FIELDS)[number], number>>;
type Trim = (padBytes: number) => number;

/**
 * Binds them; throws where there is no glibc, or no `koffi` for this processor. Takes 15 ms and 3.4 MB once: only a process
 * that has something to give back shall pay that.
 */
export function loadGlibcCalls(): GlibcCalls {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  const library = koffi.load(null);
  const trim = library.func('malloc_trim', 'int', ['size_t']) as Koffi.KoffiFunc<Trim>;
  return {
    freeBytes: freeBytesReader(koffi, library),
    trim: () =>
      new Promise((resolve, reject) => {
        trim.async(0, (error: unknown) => {
          if (error instanceof Error) reject(error);
          else resolve();
        });
      }),
  };
}

function freeBytesReader(koffi: typeof Koffi, library: Koffi.LibraryHandle): () => number {
  const structOf = (type: string): Koffi.TypeObject =>
    koffi.struct(Object.fromEntries(FIELDS.map((field) => [field, type])));
  try {
    const read = library.func('mallinfo2', structOf('size_t'), []) as () => MallocInfo;
    return () => read().fordblks;
  } catch {
    // Before glibc 2.33. Its numbers are of 32 bits and start again at 4 GiB.
    const read = library.func('mallinfo', structOf('uint32_t'), []) as () => MallocInfo;
    return () => read().fordblks;
  }
}
