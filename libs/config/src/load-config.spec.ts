import { InvalidConfigError } from '@spillway/kernel';
import { explainConfig, loadConfig, toEnvironment } from './load-config.js';
import { environmentSource, readConfigSources, type ConfigDoors } from './read-sources.js';
import { findSetting, SETTINGS } from './settings.js';
import { flagsSource, optionsSource, type ConfigSource } from './source.js';

const doors = (
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): ConfigDoors => ({
  env,
  cwd: '/project',
  homeDir: '/home/ann',
  readFile: (path) => files[path],
  listFolder: (folder) =>
    Object.keys(files).flatMap((path) =>
      path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : [],
    ),
});

const wrong = (sources: readonly ConfigSource[]): InvalidConfigError => {
  try {
    loadConfig(sources);
  } catch (error) {
    if (error instanceof InvalidConfigError) return error;
    throw error;
  }
  throw new Error('nothing was wrong');
};

const linesOf = (error: InvalidConfigError): string[] =>
  error.message
    .split('\n')
    .slice(1)
    .map((line) => line.trim());

test('without any source every setting has its default', () => {
  const config = loadConfig([]);

  expect(config.scheduler.port).toBe(8786);
  expect(config.worker.memory.pause).toBe(0.8);
  expect(explainConfig([]).every(({ origin }) => origin === 'default')).toBe(true);
});

test('each source wins over those below it, and every value tells where it is from', async () => {
  const files = {
    '/etc/spillway/10-site.yaml': 'worker:\n  nthreads: 2\n  cancel-grace: 1s\nscheduler: { port: 1 }\n',
    '/etc/spillway/20-site.yaml': 'worker:\n  cancel-grace: 2s\n',
    '/home/ann/.config/spillway/mine.yaml':
      '# mine\nworker:\n  memory:\n    limit: 4 GiB\nscheduler.port: 2\n',
    '/project/spillway.yaml': 'scheduler:\n  port: 3\n  http-port: 3000\n',
  };
  const env = { SPILLWAY_SCHEDULER__PORT: '4', SPILLWAY_SCHEDULER__HTTP_PORT: '4000', PATH: '/bin' };
  const sources = [...(await readConfigSources(doors(files, env))), flagsSource('scheduler', { port: '5' })];

  const config = loadConfig(sources);
  const origins = new Map(explainConfig(sources).map(({ path, origin }) => [path, origin]));

  expect(config.scheduler).toMatchObject({ port: 5, httpPort: 4000 });
  expect(config.worker).toMatchObject({ nthreads: 2, cancelGrace: 2000 });
  expect(config.worker.memory.limit).toEqual({ kind: 'bytes', bytes: 4 * 1024 ** 3 });
  expect(origins.get('scheduler.port')).toBe('--port');
  expect(origins.get('scheduler.http-port')).toBe('SPILLWAY_SCHEDULER__HTTP_PORT');
  expect(origins.get('worker.memory.limit')).toBe('/home/ann/.config/spillway/mine.yaml:4');
  expect(origins.get('worker.cancel-grace')).toBe('/etc/spillway/20-site.yaml:2');
  expect(origins.get('worker.nthreads')).toBe('/etc/spillway/10-site.yaml:2');
  expect(origins.get('worker.abort-grace')).toBe('default');
});

test('everything wrong in every source is told at once, with value, place and what was expected', async () => {
  const files = {
    '/etc/spillway/a.yaml': 'worker:\n  memory:\n    limit: 50%\n    target: 1.5\n',
    '/project/spillway.yaml': 'worker: 7\nnanny:\n  workers: -1\n',
  };
  const env = { SPILLWAY_WORKER__MEMORY__LIMITS: '4GB', SPILLWAY_SCHEDULER__PORT: 'http' };
  const error = wrong([
    ...(await readConfigSources(doors(files, env))),
    flagsSource('worker', { nthreads: 'many' }),
  ]);

  expect(error.code).toBe('INVALID_CONFIG');
  expect(linesOf(error)).toEqual([
    'worker.memory.limit = "50%" (/etc/spillway/a.yaml:3): expected `auto`, bytes such as `4 GiB`, a fraction up to 1 such as `0.5`, or `none`',
    'worker.memory.target = 1.5 (/etc/spillway/a.yaml:4): expected a fraction above 0 and up to 1 such as `0.7`, or false',
    'worker = 7 (/project/spillway.yaml:1): expected a group of settings',
    'nanny.workers = -1 (/project/spillway.yaml:3): expected a whole number, from 1 to 1024',
    'WORKER.MEMORY.LIMITS (SPILLWAY_WORKER__MEMORY__LIMITS): no such setting; did you mean SPILLWAY_WORKER__MEMORY__LIMIT?',
    'scheduler.port = "http" (SPILLWAY_SCHEDULER__PORT): expected a port from 0 to 65535 (0: any free one)',
    'worker.nthreads = "many" (--nthreads): expected a whole number, from 1 to 1024',
  ]);
  expect(Object.keys(error.details)).toHaveLength(7);
});

test('a bad value is told even where a later source replaces it', () => {
  const error = wrong([
    environmentSource({ SPILLWAY_WORKER__NTHREADS: 'x' }),
    optionsSource({ worker: { nthreads: 2 } }),
  ]);
  expect(linesOf(error)).toEqual([expect.stringContaining('SPILLWAY_WORKER__NTHREADS')]);
});

test('a misspelled name is met with the one that was meant', () => {
  const suggestionFor = (name: string): string | undefined =>
    /did you mean (.*)\?/.exec(wrong([{ origin: 'options', values: { [name]: 1 } }]).message)?.[1];

  expect(suggestionFor('worker.memory.taget')).toBe('worker.memory.target');
  expect(suggestionFor('worker.memroy.limit')).toBe('worker.memory.limit');
  expect(suggestionFor('memory.limit')).toBe('worker.memory.limit');
  expect(suggestionFor('worker.memory-limit')).toBe('worker.memory.limit');
  expect(suggestionFor('worker.memory.limit.soft')).toBe('worker.memory.limit');
  expect(suggestionFor('something.else.entirely')).toBeUndefined();
  expect(suggestionFor('__proto__.x')).toBeUndefined();
  expect(suggestionFor('constructor')).toBeUndefined();
});

test('a file that is not YAML, not a map or not readable is a problem among the others', async () => {
  const files = {
    '/etc/spillway/a.yaml': 'worker:\n  nthreads: [1\n',
    '/etc/spillway/b.yaml': '- 1\n- 2\n',
    '/etc/spillway/c.yaml': '',
    '/etc/spillway/d.yaml': 'worker:\n  nthreads: 1\n  nthreads: 2\n',
    '/etc/spillway/e.txt': 'not ours',
    '/etc/spillway/f.yaml': 'worker: # nothing set\n',
    '/etc/spillway/g.yaml': 'worker: *nowhere\n',
  };
  const unreadable = (path: string): string | undefined => {
    if (path === '/project/spillway.yaml') throw new Error('EACCES');
    return files[path as keyof typeof files];
  };
  const error = wrong(await readConfigSources({ ...doors(files), readFile: unreadable }));

  const told = linesOf(error).map((line) => /\(([^)]*)\): (.*)/.exec(line)?.slice(1, 3).join(' '));
  expect(told).toEqual([
    expect.stringMatching(/^\/etc\/spillway\/a\.yaml:\d not valid YAML/),
    '/etc/spillway/b.yaml:1 expected a map of settings at the top',
    expect.stringMatching(/^\/etc\/spillway\/d\.yaml:3 not valid YAML: .*unique/),
    expect.stringMatching(/^\/etc\/spillway\/g\.yaml/),
    expect.stringMatching(/^\/project\/spillway\.yaml cannot be read: .*EACCES/),
  ]);
});

test('maps take any names and add up across sources', async () => {
  const files = {
    '/project/spillway.yaml': 'nanny:\n  environ:\n    MALLOC_ARENA_MAX: 2\n    Mixed_Case: a=b\n',
  };
  const env = {
    SPILLWAY_NANNY__ENVIRON__MALLOC_TRIM_THRESHOLD_: '65536',
    SPILLWAY_NANNY__ENVIRON__A__B: 'c',
  };
  const flags = { environ: ['X=1=2', 'MALLOC_ARENA_MAX=4'] };
  const sources = [...(await readConfigSources(doors(files, env))), flagsSource('nanny', flags)];

  expect(loadConfig(sources).nanny.environ).toEqual({
    MALLOC_ARENA_MAX: '4',
    Mixed_Case: 'a=b',
    MALLOC_TRIM_THRESHOLD_: '65536',
    A__B: 'c',
    X: '1=2',
  });
  const [explained] = explainConfig(sources).filter(({ path }) => path === 'nanny.environ');
  expect(explained?.origin).toBe(
    '/project/spillway.yaml:2, SPILLWAY_NANNY__ENVIRON__MALLOC_TRIM_THRESHOLD_, SPILLWAY_NANNY__ENVIRON__A__B, --environ',
  );
});

test('module names with dots stay whole', () => {
  const values = { 'worker.preinstalled.my.module': './a.js', worker: { preinstalled: { 'x.y': './b.js' } } };
  expect(loadConfig([optionsSource(values)]).worker.preinstalled).toEqual({
    'my.module': './a.js',
    'x.y': './b.js',
  });
});

test('names may be written in any of the usual styles', () => {
  const values = {
    worker: { memory: { monitorInterval: '50ms' }, cancel_grace: '1s', 'abort-grace': '10ms' },
  };
  expect(loadConfig([{ origin: 'test', values }]).worker).toMatchObject({
    memory: { monitorInterval: 50 },
    cancelGrace: 1000,
    abortGrace: 10,
  });
});

test('numbers of milliseconds are taken from code, where their unit is known, and nowhere else', () => {
  const values = { client: { connectTimeout: 250 } };
  expect(loadConfig([optionsSource(values)]).client.connectTimeout).toBe(250);
  expect(linesOf(wrong([{ origin: 'file.yaml', values }]))).toHaveLength(1);
  expect(loadConfig([flagsSource('worker', { deathTimeout: 250 })]).worker.deathTimeout).toBe(250);
  expect(linesOf(wrong([flagsSource('worker', { 'death-timeout': '250' })]))).toHaveLength(1);
});

test('LOG_LEVEL sets the log level unless our own variable does', () => {
  expect(loadConfig([environmentSource({ LOG_LEVEL: 'debug' })]).log.level).toBe('debug');
  expect(loadConfig([environmentSource({ LOG_LEVEL: 'debug', SPILLWAY_LOG__LEVEL: 'warn' })]).log.level).toBe(
    'warn',
  );
  expect(wrong([environmentSource({ LOG_LEVEL: 'loud' })]).message).toContain('(LOG_LEVEL)');
});

test('a variable that the program knows by itself is no unknown setting', () => {
  expect(() => loadConfig([environmentSource({ SPILLWAY_WORKER_ID: 'w1' })])).toThrow('no such setting');
  expect(loadConfig([environmentSource({ SPILLWAY_WORKER_ID: 'w1' }, ['SPILLWAY_WORKER_ID'])])).toEqual(
    loadConfig([]),
  );
});

test('no timer is asked for more than it can wait', () => {
  expect(wrong([optionsSource({ 'client.connect-timeout': '30 days' })]).message).toContain(
    'expected a duration',
  );
});

test('the configuration cannot be changed after it was read', () => {
  const config = loadConfig([]);
  expect(() => Object.assign(config.worker.memory, { target: 0.1 })).toThrow(TypeError);
  expect(() => Object.assign(config.worker.preinstalled, { x: 'y' })).toThrow(TypeError);
});

test('a configuration handed to a child as variables arrives unchanged, whatever the child finds below', () => {
  const values = {
    worker: { memory: { limit: 0, spill: false }, nthreads: 3, preinstalled: { a: 'b c' } },
    log: { pretty: false },
  };
  const config = loadConfig([optionsSource(values)]);
  const environment = toEnvironment(config, () => true);

  const child = loadConfig([optionsSource({ worker: { nthreads: 9 } }), environmentSource(environment)]);

  expect(child).toEqual(config);
  expect(Object.keys(environment)).toHaveLength(SETTINGS.length);
  expect(Object.keys(toEnvironment(config, ({ programs }) => programs.includes('client')))).toContain(
    'SPILLWAY_CLIENT__CALL_TIMEOUT',
  );
});

test('settings are found by path', () => {
  expect(findSetting('worker.memory.limit')?.flag).toBe('--memory-limit');
  expect(findSetting('worker.memory')).toBeUndefined();
});
