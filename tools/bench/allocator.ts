import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { findJemalloc, preloadVariables } from '@spillway/platform';
import { bundleThreadEntry } from '@spillway/testkit';
import type { LoadResult } from './allocator-load.js';
import type { Figure } from './bench.js';

type Environ = Readonly<Record<string, string>>;

const LOADS = ['pieces', 'stream', 'fill', 'small', 'shared', 'values'] as const;

/** What is set for glibc. */
const GLIBC: Readonly<Record<string, Environ>> = {
  'as it comes': {},
  'trim 64K': { MALLOC_TRIM_THRESHOLD_: '65536' },
  'arenas 1': { MALLOC_ARENA_MAX: '1' },
  'arenas 2': { MALLOC_ARENA_MAX: '2' },
  'mmap 64K': { MALLOC_MMAP_THRESHOLD_: '65536' },
  'mmap 128K': { MALLOC_MMAP_THRESHOLD_: '131072' },
  'trim 64K, arenas 2': { MALLOC_TRIM_THRESHOLD_: '65536', MALLOC_ARENA_MAX: '2' },
  'all three': { MALLOC_TRIM_THRESHOLD_: '65536', MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '65536' },
};

/** What is set for jemalloc, which is measured where it is installed. */
const JEMALLOC: Readonly<Record<string, Environ>> = {
  jemalloc: {},
  'jemalloc, background': { MALLOC_CONF: 'background_thread:true' },
  'jemalloc, decay 1 s': { MALLOC_CONF: 'dirty_decay_ms:1000,muzzy_decay_ms:0' },
  'jemalloc, both': { MALLOC_CONF: 'background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0' },
};

/** What each allocator and setting keeps of memory that was freed, and what it costs. docs/allocator.md has the table. */
export async function allocatorsCompared(): Promise<readonly Figure[]> {
  const entry = await bundleThreadEntry("import './allocator-load.js';", import.meta.dirname);
  const figures: Figure[] = [];
  for (const load of LOADS)
    for (const [name, environ] of Object.entries(settingsHere())) {
      process.stderr.write(`  ${load}, ${name} …\n`);
      figures.push(figureOf(`${load}, ${name}`, await runLoad(fileURLToPath(entry), load, environ)));
    }
  return figures;
}

function settingsHere(): Readonly<Record<string, Environ>> {
  const { platform, arch, env: environ } = process;
  const library = findJemalloc({ platform, arch, environ });
  if (library === undefined) return GLIBC;
  const preload = preloadVariables(library, {}, platform);
  const withPreload = Object.entries(JEMALLOC).map(([name, its]) => [name, { ...preload, ...its }] as const);
  return { ...GLIBC, ...Object.fromEntries(withPreload) };
}

async function runLoad(entry: string, load: string, environ: Environ): Promise<LoadResult> {
  const child = fork(entry, [load], { env: { PATH: process.env['PATH'], ...environ }, execArgv: [] });
  return new Promise((resolve, reject) => {
    child.once('message', (result: LoadResult) => resolve(result));
    child.once('exit', (code) => reject(new Error(`The load ${load} ended with code ${code ?? 'none'}.`)));
  });
}

const inMiB = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);

function figureOf(what: string, result: LoadResult): Figure {
  const { kind, baseBytes, peakBytes, droppedBytes, trimmedBytes, trimMs, loadMs, cpuMs } = result;
  const trimmed =
    trimmedBytes === undefined
      ? 'not trimmed'
      : `trimmed ${inMiB(trimmedBytes)} in ${trimMs?.toFixed(0) ?? ''} ms`;
  return {
    what,
    value: droppedBytes / 2 ** 20,
    unit: 'MiB kept',
    how: `${kind}: base ${inMiB(baseBytes)}, peak ${inMiB(peakBytes)}, ${trimmed}; ${loadMs.toFixed(0)} ms, ${cpuMs.toFixed(0)} ms CPU`,
  };
}
