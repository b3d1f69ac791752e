/** Where settings come from: values by name, and how to say where each one stands. Later sources win over earlier. */
import { camelCase, findSetting, flagsOf } from './settings.js';
import type { ConfigProblem } from './problems.js';
import type { Program } from './setting.js';

export interface ConfigSource {
  /** What the values come from, for people: a file's path, `environment`, `flags`, `options`. */
  readonly origin: string;
  /**
   * Values by name: nested groups, or paths with dots, or both. Names may be written `monitor-interval`,
   * `monitor_interval`, `MONITOR_INTERVAL` or `monitorInterval`. `undefined` means not given.
   */
  readonly values: Readonly<Record<string, unknown>>;
  /** Where exactly a value stands (`file:line`, variable, flag), asked by its path as written. Default: `origin`. */
  readonly originOf?: (writtenPath: string) => string | undefined;
  /** How this source spells a setting, for suggestions. Default: the path itself. */
  readonly nameOf?: (path: string) => string;
  /** What was wrong before there were any values, such as a file that is not YAML. */
  readonly problems?: readonly ConfigProblem[];
  /** The values come from code: numbers for durations are milliseconds, which elsewhere need their unit. */
  readonly fromCode?: boolean;
}

/** Values given by a program in code, by path or nested. Durations may be numbers of milliseconds. */
export const optionsSource = (values: Readonly<Record<string, unknown>>): ConfigSource => ({
  origin: 'options',
  values,
  fromCode: true,
});

/**
 * Values of a program's command line flags, by flag name with or without dashes (`--memory-limit`, `memory-limit` or
 * `memoryLimit`). A flag that is no setting's is the command line parser's own and is left alone.
 */
export function flagsSource(program: Program, flags: Readonly<Record<string, unknown>>): ConfigSource {
  const values: Record<string, unknown> = {};
  for (const setting of flagsOf(program)) {
    const name = (setting.flag ?? '').slice(2);
    const spellings = [`--${name}`, name, camelCase(name)];
    const given = spellings.find((spelling) => flags[spelling] !== undefined);
    if (given !== undefined) values[setting.path] = flags[given];
  }
  const flagOf = (path: string): string | undefined => findSetting(path)?.flag;
  const nameOf = (path: string): string => flagOf(path) ?? path;
  // A number is no flag that somebody typed: functions such as `startWorker` take the same names as options.
  return { origin: 'flags', values, originOf: flagOf, nameOf, fromCode: true };
}
