import type { Malloc } from '@spillway/ports';

/** Paths of mapped files: the sixth column of `/proc/self/maps`. */
const MAPPED_FILE = /^\S+ \S+ \S+ \S+ \S+ +(\/.*)$/gm;
const JEMALLOC = /^libjemalloc[-_.]/;
const MUSL = /^(?:ld-musl-|libc\.musl-)/;
const GLIBC = /^(?:libc\.so\.6|libc-\d[\d.]*\.so)(?: \(deleted\))?$/;

/**
 * Which allocator serves a process, by the text of its `/proc/self/maps`. A jemalloc that is mapped has taken the place of
 * the C library's, which is mapped too. `undefined` or no such file: an operating system without one.
 */
export function mallocKindOf(maps: string | undefined): Malloc['kind'] {
  const names = Array.from(
    (maps ?? '').matchAll(MAPPED_FILE),
    ([, path = '']) => path.split('/').at(-1) ?? '',
  );
  if (names.some((name) => JEMALLOC.test(name))) return 'jemalloc';
  if (names.some((name) => MUSL.test(name))) return 'musl';
  return names.some((name) => GLIBC.test(name)) ? 'glibc' : 'other';
}
