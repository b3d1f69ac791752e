/** Which memory allocator workers get: the variables that have to be set before their processes start (docs/allocator.md). */
import type { NannyConfig } from '@spillway/config';
import { ProgramStartError } from '@spillway/kernel';
import { findJemalloc, preloadVariables, type LibraryPlaces } from '@spillway/platform';

/**
 * A second after memory is freed it goes back, by a thread of jemalloc's own: without one only who allocates gives back, and an
 * idle worker keeps what it freed last.
 */
const JEMALLOC_SETTINGS = 'background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0';

/** Environment variables by name. */
export type AllocatorVariables = Readonly<Record<string, string>>;

/**
 * What the C library is told. Only glibc reads these; two of the names end in an underscore. Where neither threshold is set,
 * glibc raises both with the sizes that it sees freed, the one for single pieces up to 32 MiB.
 */
export function mallocVariables({ malloc }: Pick<NannyConfig, 'malloc'>): AllocatorVariables {
  const { trimThreshold, mmapThreshold, arenaMax } = malloc;
  return {
    ...(trimThreshold === false ? {} : { MALLOC_TRIM_THRESHOLD_: String(trimThreshold) }),
    ...(mmapThreshold === false ? {} : { MALLOC_MMAP_THRESHOLD_: String(mmapThreshold) }),
    ...(arenaMax === false ? {} : { MALLOC_ARENA_MAX: String(arenaMax) }),
  };
}

/** How jemalloc is put in place of the C library's allocator. */
export interface JemallocVariables {
  readonly library: string;
  /** Hold what the environment preloads already, so they replace it. */
  readonly preload: AllocatorVariables;
  readonly settings: AllocatorVariables;
}

/**
 * `undefined`: workers get the C library's allocator. Throws where jemalloc is demanded and not installed: a nanny that went
 * on without would keep memory that its operator counts on.
 */
export function jemallocVariables(
  { allocator }: Pick<NannyConfig, 'allocator'>,
  places: LibraryPlaces,
): JemallocVariables | undefined {
  if (allocator === 'system') return undefined;
  const library = findJemalloc(places);
  if (library === undefined && allocator === 'auto') return undefined;
  if (library === undefined) throw missingJemalloc(places.platform);
  const { platform, environ } = places;
  // On macOS its names have a prefix, unless it was built without.
  const settings = platform === 'darwin' ? ['MALLOC_CONF', 'JE_MALLOC_CONF'] : ['MALLOC_CONF'];
  return {
    library,
    preload: preloadVariables(library, environ, platform),
    settings: Object.fromEntries(settings.map((name) => [name, JEMALLOC_SETTINGS])),
  };
}

function missingJemalloc(platform: NodeJS.Platform): ProgramStartError {
  const remedy =
    platform === 'darwin'
      ? 'Install it (brew install jemalloc)'
      : 'Install it (apt-get install libjemalloc2, dnf install jemalloc, apk add jemalloc)';
  return new ProgramStartError(
    `nanny.allocator is jemalloc, and no libjemalloc for this machine was found. ${remedy}, ` +
      'name its folder in LD_LIBRARY_PATH, or set nanny.allocator to auto or system.',
    { details: { setting: 'nanny.allocator', platform } },
  );
}
