/** The environment of workers, where it differs from the nanny's own. */
import { toEnvironment, variableOf, type SpillwayConfig } from '@spillway/config';
import { mallocVariables, type JemallocVariables } from './worker-allocator.js';

export interface WorkerEnvironParts {
  readonly config: SpillwayConfig;
  /** The nanny's own: workers inherit it. */
  readonly ownEnviron: Readonly<NodeJS.ProcessEnv>;
  readonly jemalloc: JemallocVariables | undefined;
  /** The memory limit of a worker that starts now, as its setting is written. */
  readonly memoryLimit: string;
}

/** Variables that cost every worker start time and that it has no use for (toolchain.md section 2). */
const DROPPED_VARIABLES = { NODE_EXTRA_CA_CERTS: null, NODE_OPTIONS: null };
/** What libuv has by itself. */
const POOL_THREADS = 4;

/**
 * Variables to set, and to remove (`null`). What is nobody's wish but ours gives way to the nanny's own environment;
 * `nanny.environ` wins over all.
 */
export function workerEnviron({
  config,
  ownEnviron,
  jemalloc,
  memoryLimit,
}: WorkerEnvironParts): Readonly<Record<string, string | null>> {
  const defaults: Readonly<Record<string, string>> = {
    ...mallocVariables(config.nanny),
    ...jemalloc?.settings,
    UV_THREADPOOL_SIZE: String(poolThreads(config)),
  };
  const wanted = Object.entries(defaults).filter(([name]) => ownEnviron[name] === undefined);
  const owned = new Set([...Object.keys(defaults), ...Object.keys(jemalloc?.preload ?? {})]);
  return {
    ...DROPPED_VARIABLES,
    ...Object.fromEntries(wanted),
    ...jemalloc?.preload,
    ...toEnvironment(config, ({ programs }) => programs.includes('worker')),
    [variableOf('worker.memory.limit')]: memoryLimit,
    ...overrides(config.nanny.environ, owned),
  };
}

/** Threads of libuv's pool: what tasks do to files and with hashes must not keep the worker's own calls waiting. */
const poolThreads = ({ worker }: SpillwayConfig): number => POOL_THREADS + worker.nthreads;

/** Nothing behind a name removes the variable; so does `false`, for those that we set and to which it means nothing. */
function overrides(
  environ: Readonly<Record<string, string>>,
  owned: ReadonlySet<string>,
): Readonly<Record<string, string | null>> {
  const isRemoved = (name: string, value: string): boolean =>
    value === '' || (value === 'false' && owned.has(name));
  return Object.fromEntries(
    Object.entries(environ).map(([name, value]) => [name, isRemoved(name, value) ? null : value]),
  );
}
