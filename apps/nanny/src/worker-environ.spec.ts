import { loadConfig, optionsSource } from '@spillway/config';
import type { JemallocVariables } from './worker-allocator.js';
import { workerEnviron } from './worker-environ.js';

const JEMALLOC: JemallocVariables = {
  library: '/lib/libjemalloc.so.2',
  preload: { LD_PRELOAD: '/lib/libjemalloc.so.2' },
  settings: { MALLOC_CONF: 'background_thread:true' },
};

interface Given {
  /** Settings below `nanny`. */
  readonly nanny?: object;
  readonly own?: NodeJS.ProcessEnv;
  readonly jemalloc?: JemallocVariables;
}

const changesFor = ({ nanny = {}, own = {}, jemalloc }: Given): Readonly<Record<string, string | null>> =>
  workerEnviron({
    config: loadConfig([optionsSource({ nanny, worker: { nthreads: 3 } })]),
    ownEnviron: own,
    jemalloc,
    memoryLimit: '512 MiB',
  });

/** What a worker finds in its environment: the nanny's own with the changes. */
function seenByWorker(given: Given, name: string): string | undefined {
  const merged = { ...given.own, ...changesFor(given) };
  return merged[name] ?? undefined;
}

const TRIM = 'MALLOC_TRIM_THRESHOLD_';
const environ = (value: string | boolean | number, name = TRIM): { nanny: object } => ({
  nanny: { environ: { [name]: value } },
});

test.each<[string, Given, string | undefined]>([
  ['the founding document’s default', {}, '65536'],
  ['the setting', { nanny: { malloc: { 'trim-threshold': '1 MiB' } } }, '1048576'],
  ['the setting off', { nanny: { malloc: { 'trim-threshold': false } } }, undefined],
  ['the nanny’s own environment over the default', { own: { [TRIM]: '7' } }, '7'],
  [
    'the nanny’s own environment over the setting',
    { own: { [TRIM]: '7' }, nanny: { malloc: { 'trim-threshold': '1 MiB' } } },
    '7',
  ],
  ['an empty variable of the nanny’s own environment', { own: { [TRIM]: '' } }, ''],
  ['nanny.environ over the default', environ(0), '0'],
  ['nanny.environ over the nanny’s own environment', { ...environ('9'), own: { [TRIM]: '7' } }, '9'],
  ['nanny.environ that says false', environ(false), undefined],
  [
    'nanny.environ that says false over the nanny’s own',
    { ...environ(false), own: { [TRIM]: '7' } },
    undefined,
  ],
  ['nanny.environ with nothing', environ(''), undefined],
])('the trim threshold of a worker: %s', (_case, given, expected) => {
  expect(seenByWorker(given, TRIM)).toBe(expected);
});

test('what glibc is told by default', () => {
  expect(seenByWorker({}, 'MALLOC_ARENA_MAX')).toBe('2');
  expect(seenByWorker({}, 'MALLOC_MMAP_THRESHOLD_')).toBeUndefined();
  const malloc = { 'arena-max': false, 'mmap-threshold': '64 KiB' };
  expect(seenByWorker({ nanny: { malloc } }, 'MALLOC_ARENA_MAX')).toBeUndefined();
  expect(seenByWorker({ nanny: { malloc } }, 'MALLOC_MMAP_THRESHOLD_')).toBe('65536');
});

test('a variable that is the user’s own may be called false', () => {
  expect(seenByWorker(environ(false, 'FEATURE'), 'FEATURE')).toBe('false');
  expect(changesFor(environ('', 'FEATURE'))).toMatchObject({ FEATURE: null });
});

test('tasks and the worker have threads of libuv’s pool each', () => {
  expect(seenByWorker({}, 'UV_THREADPOOL_SIZE')).toBe('7');
  expect(seenByWorker({ own: { UV_THREADPOOL_SIZE: '12' } }, 'UV_THREADPOOL_SIZE')).toBe('12');
});

test('jemalloc is preloaded, whose settings give way to the nanny’s own', () => {
  expect(changesFor({ jemalloc: JEMALLOC })).toMatchObject({ ...JEMALLOC.preload, ...JEMALLOC.settings });
  const own = { MALLOC_CONF: 'stats_print:true' };
  expect(seenByWorker({ jemalloc: JEMALLOC, own }, 'MALLOC_CONF')).toBe('stats_print:true');
  expect(seenByWorker({ jemalloc: JEMALLOC, ...environ(false, 'LD_PRELOAD') }, 'LD_PRELOAD')).toBeUndefined();
  expect(changesFor({})).not.toHaveProperty('LD_PRELOAD');
});

test('what costs every worker its start is dropped, and the limit of the moment is handed on', () => {
  expect(changesFor({})).toMatchObject({
    NODE_OPTIONS: null,
    NODE_EXTRA_CA_CERTS: null,
    SPILLWAY_WORKER__MEMORY__LIMIT: '512 MiB',
    SPILLWAY_WORKER__NTHREADS: '3',
  });
  expect(seenByWorker(environ('--inspect', 'NODE_OPTIONS'), 'NODE_OPTIONS')).toBe('--inspect');
});
