import { loadConfig, toEnvironment } from './load-config.js';
import { environmentSource, readConfigSources } from './read-sources.js';
import type { WorkerConfig } from './settings.js';
import { flagsSource } from './source.js';

const withFlags = (flags: Readonly<Record<string, unknown>>): WorkerConfig =>
  loadConfig([flagsSource('worker', flags)]).worker;

test('a container is named as an export of a module, with options in JSON', () => {
  const { data, dataOptions } = withFlags({
    data: './dist/lmdb.js#createLmdb',
    'data-options': '{"folder": "v", "sizes": [1, {"a": null}]}',
  });
  expect(data).toBe('./dist/lmdb.js#createLmdb');
  expect(dataOptions).toEqual({ folder: 'v', sizes: [1, { a: null }] });
  expect(withFlags({ data: 'none' }).data).toBe(false);
  expect(withFlags({})).toMatchObject({ data: false, dataOptions: {} });
});

test('in a file the options are a map, and a nanny hands all of it on', async () => {
  const file = 'worker:\n  data: pkg#made\n  data-options:\n    folder: v\n    deep: { a: [1, true] }\n';
  const sources = await readConfigSources({
    env: {},
    cwd: '/project',
    homeDir: undefined,
    readFile: (path) => (path === '/project/spillway.yaml' ? file : undefined),
    listFolder: () => [],
  });
  const config = loadConfig(sources);
  expect(config.worker.dataOptions).toEqual({ folder: 'v', deep: { a: [1, true] } });
  const handedOn = toEnvironment(config, ({ programs }) => programs.includes('worker'));
  expect(loadConfig([environmentSource(handedOn)]).worker).toEqual(config.worker);
});

test.each(['./lmdb.js', '#createLmdb', './lmdb.js#', './lmdb.js#create it', 7])(
  '%j is no export of a module',
  (data) => {
    expect(() => withFlags({ data })).toThrow(/\(--data\): expected `module#export` such as/);
  },
);

test.each(['{"folder": "v"', '[1]', '"v"', '7', 'null', '', "{folder: 'v'}"])(
  'options that are no JSON object (%j) are refused with where they stand',
  (written) => {
    expect(() => withFlags({ data: 'a#b', 'data-options': written })).toThrow(
      /worker\.data-options = .* \(--data-options\): expected a JSON object such as/,
    );
    expect(() => loadConfig([environmentSource({ SPILLWAY_WORKER__DATA_OPTIONS: written })])).toThrow(
      '(SPILLWAY_WORKER__DATA_OPTIONS)',
    );
  },
);
