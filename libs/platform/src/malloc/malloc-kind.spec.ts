import { mallocKindOf } from './malloc-kind.js';

const line = (path: string): string =>
  `7f1c2a000000-7f1c2a026000 r-xp 00026000 fe:01 1443                        ${path}`;
const ANONYMOUS = '7f1c29e00000-7f1c29e21000 rw-p 00000000 00:00 0 ';
const mapsOf = (...paths: readonly string[]): string =>
  `${[line('/usr/local/bin/node'), ANONYMOUS, ...paths.map(line), line('[stack]')].join('\n')}\n`;

const GLIBC = '/usr/lib/x86_64-linux-gnu/libc.so.6';

test.each([
  ['glibc', mapsOf(GLIBC)],
  ['glibc', mapsOf('/lib64/libc-2.28.so')],
  ['glibc', mapsOf(`${GLIBC} (deleted)`)],
  ['glibc', mapsOf('/srv/libjemalloc/node', GLIBC)],
  ['jemalloc', mapsOf('/usr/lib/x86_64-linux-gnu/libjemalloc.so.2', GLIBC)],
  ['jemalloc', mapsOf('/usr/lib/libjemalloc.so.2', '/lib/ld-musl-x86_64.so.1')],
  ['jemalloc', mapsOf('/opt/my conda/lib/libjemalloc.so', GLIBC)],
  ['musl', mapsOf('/lib/ld-musl-aarch64.so.1')],
  ['other', mapsOf('/usr/lib/libcrypto.so.3')],
  ['other', ''],
  ['other', undefined],
])('%s, by what is mapped (%#)', (kind, maps) => {
  expect(mallocKindOf(maps)).toBe(kind);
});
