import { flagsOf, SETTINGS, variableOf } from './settings.js';
import type { MemoryLimitSetting } from './memory-limit.js';
import type { SpillwayConfig } from './settings.js';
import { loadConfig } from './load-config.js';

const memoryLimit = (written: unknown): MemoryLimitSetting =>
  loadConfig([{ origin: 'test', values: { 'worker.memory.limit': written } }]).worker.memory.limit;

test('every setting reads its own default back', () => {
  for (const setting of SETTINGS) {
    expect({ path: setting.path, ...setting.parse(setting.format(setting.default)) }).toEqual({
      path: setting.path,
      ok: true,
      value: setting.default,
    });
  }
});

test('every setting is documented in sentences, and off-able exactly where it says so', () => {
  for (const setting of SETTINGS) {
    const { path, doc, mayBeOff, kind } = setting;
    expect({ path, isSentence: /^[A-Z].{20,}\.$/.test(doc) }).toEqual({ path, isSentence: true });
    const takesFalse = ['yes or no', 'auto, yes or no', 'memory limit'].includes(kind);
    expect({ path, ok: setting.parse(false).ok }).toEqual({ path, ok: mayBeOff || takesFalse });
  }
});

test('no two settings share a flag in one program, or a variable', () => {
  for (const program of ['scheduler', 'nanny', 'worker', 'client'] as const) {
    const flags = flagsOf(program).map((setting) => setting.flag);
    expect(flags).toEqual([...new Set(flags)]);
  }
  const variables = SETTINGS.map((setting) => variableOf(setting.path));
  expect(variables).toEqual([...new Set(variables)]);
});

test('the type of the configuration follows from the list', () => {
  const config: SpillwayConfig = loadConfig([]);
  const limit: number | false = config.worker.memory.target;
  const intervalMs: number = config.worker.memory.monitorInterval;
  const level: 'debug' | 'info' | 'warn' | 'error' | 'silent' = config.log.level;
  const modules: Readonly<Record<string, string>> = config.worker.preinstalled;
  // @ts-expect-error a setting that cannot be off has no false
  const never: false = config.worker.nthreads;
  expect([limit, intervalMs, level, modules, never]).toEqual([0.6, 200, 'info', {}, 1]);
});

describe('the memory limit', () => {
  test.each<[unknown, MemoryLimitSetting]>([
    ['auto', { kind: 'auto' }],
    ['AUTO', { kind: 'auto' }],
    [null, { kind: 'off' }],
    ['none', { kind: 'off' }],
    [false, { kind: 'off' }],
    [0, { kind: 'off' }],
    ['0', { kind: 'off' }],
    ['0.0GB', { kind: 'off' }],
    [1, { kind: 'fraction', fraction: 1 }],
    ['1', { kind: 'fraction', fraction: 1 }],
    [true, { kind: 'fraction', fraction: 1 }],
    [0.5, { kind: 'fraction', fraction: 0.5 }],
    ['0.5', { kind: 'fraction', fraction: 0.5 }],
    [2, { kind: 'bytes', bytes: 2 }],
    [1.5, { kind: 'bytes', bytes: 1 }],
    ['1 B', { kind: 'bytes', bytes: 1 }],
    ['4GiB', { kind: 'bytes', bytes: 4 * 1024 ** 3 }],
    ['4 gib', { kind: 'bytes', bytes: 4 * 1024 ** 3 }],
    ['2e3 MB', { kind: 'bytes', bytes: 2e9 }],
    [1e9, { kind: 'bytes', bytes: 1e9 }],
  ])('reads %j', (written, expected) => {
    expect(memoryLimit(written)).toEqual(expected);
  });

  test.each([-1, -0.5, '', NaN, Infinity, '50%', '4 GiBs', 'MB', 'inf', 'nan', '0.4 B', [], {}, ['auto']])(
    'refuses %j',
    (written) => {
      expect(() => memoryLimit(written)).toThrow('worker.memory.limit');
    },
  );
});
