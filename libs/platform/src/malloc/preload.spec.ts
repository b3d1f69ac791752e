import { forgetPreload, preloadVariables } from './preload.js';

const JEMALLOC = '/usr/lib/libjemalloc.so.2';

/** What a task sees when its worker has started in this environment. */
function seenByTasks(environ: NodeJS.ProcessEnv, platform: NodeJS.Platform = 'linux'): NodeJS.ProcessEnv {
  const own = { ...environ };
  forgetPreload(own, platform);
  return own;
}

test.each([
  [undefined, JEMALLOC],
  ['', JEMALLOC],
  ['/lib/libfaketime.so', `/lib/libfaketime.so:${JEMALLOC}`],
  ['/a.so /b.so', `/a.so:/b.so:${JEMALLOC}`],
  [`${JEMALLOC}:/a.so`, `/a.so:${JEMALLOC}`],
])('it goes behind what is preloaded already: %j', (before, after) => {
  expect(preloadVariables(JEMALLOC, { LD_PRELOAD: before }, 'linux')).toMatchObject({ LD_PRELOAD: after });
});

test('macOS has a variable of its own', () => {
  const variables = preloadVariables(JEMALLOC, { DYLD_INSERT_LIBRARIES: '/a.dylib' }, 'darwin');
  expect(variables).toMatchObject({ DYLD_INSERT_LIBRARIES: `/a.dylib:${JEMALLOC}` });
  expect(seenByTasks({ ...variables }, 'darwin')).toEqual({ DYLD_INSERT_LIBRARIES: '/a.dylib' });
});

test('programs that tasks start do not inherit it', () => {
  expect(seenByTasks({ PATH: '/bin', ...preloadVariables(JEMALLOC, {}, 'linux') })).toEqual({ PATH: '/bin' });
});

test('what was preloaded for everybody they do inherit', () => {
  const before = { LD_PRELOAD: '/lib/libfaketime.so' };
  expect(seenByTasks({ ...before, ...preloadVariables(JEMALLOC, before, 'linux') })).toEqual(before);
  expect(seenByTasks({ LD_PRELOAD: JEMALLOC })).toEqual({ LD_PRELOAD: JEMALLOC });
});
