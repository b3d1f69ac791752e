/**
 * Finds the sources below the command line, from low to high: `/etc/spillway`, `~/.config/spillway`, `spillway.yaml` of
 * the project, the environment. It reads through the doors it is given; nothing here knows of a disk or a process.
 */
import { SETTINGS, isMap, variableOf } from './settings.js';
import type { ConfigSource } from './source.js';

export interface ConfigDoors {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** `undefined` where there is none. */
  readonly homeDir: string | undefined;
  /** The text of a file; `undefined` when there is no such file. Throws when it is there and cannot be read. */
  readonly readFile: (path: string) => string | undefined;
  /** Names in a folder; none when there is no such folder. */
  readonly listFolder: (path: string) => readonly string[];
  /** `SPILLWAY_…` variables that are not settings but known to the program. */
  readonly ignoredVariables?: readonly string[];
}

const VARIABLE_PREFIX = 'SPILLWAY_';

/** All sources but defaults and flags, in order. What cannot be read becomes a problem of its source, not an error. */
export async function readConfigSources(doors: ConfigDoors): Promise<readonly ConfigSource[]> {
  const folders = [
    '/etc/spillway',
    ...(doors.homeDir === undefined ? [] : [`${doors.homeDir}/.config/spillway`]),
  ];
  const files = [...folders.flatMap((folder) => filesIn(folder, doors)), `${doors.cwd}/spillway.yaml`];
  const sources: ConfigSource[] = [];
  for (const file of files) {
    const source = await fileSource(file, doors);
    if (source !== undefined) sources.push(source);
  }
  return [...sources, environmentSource(doors.env, doors.ignoredVariables)];
}

function filesIn(folder: string, doors: ConfigDoors): string[] {
  const names = doors.listFolder(folder).filter((name) => /\.ya?ml$/.test(name));
  return names.toSorted().map((name) => `${folder}/${name}`);
}

async function fileSource(file: string, doors: ConfigDoors): Promise<ConfigSource | undefined> {
  let text: string | undefined;
  try {
    text = doors.readFile(file);
  } catch (error) {
    return {
      origin: file,
      values: {},
      problems: [{ path: file, expected: `cannot be read: ${String(error)}`, origin: file }],
    };
  }
  if (text === undefined) return undefined;
  // Loaded only where there is a file: it takes longer than all the rest, and most workers start without one.
  const { yamlSource } = await import('./yaml-source.js');
  return yamlSource(file, text);
}

/**
 * The `SPILLWAY_…` variables: `__` between the names of a path, `_` for `-`. What is behind the variable of a map is a
 * name in it, as it stands. `LOG_LEVEL` sets `log.level`, below `SPILLWAY_LOG__LEVEL`.
 */
export function environmentSource(
  env: Readonly<Record<string, string | undefined>>,
  ignoredVariables: readonly string[] = [],
): ConfigSource {
  const variables = new Map<string, string>();
  const values: Record<string, unknown> = {};
  const logLevel = env['LOG_LEVEL'];
  if (logLevel !== undefined && env[variableOf('log.level')] === undefined) {
    values['log.level'] = logLevel;
    variables.set('log.level', 'LOG_LEVEL');
  }
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith(VARIABLE_PREFIX) || value === undefined || ignoredVariables.includes(variable))
      continue;
    const written = writtenPath(variable);
    values[written] = value;
    variables.set(written, variable);
  }
  return { origin: 'environment', values, originOf: (path) => variables.get(path), nameOf: variableOf };
}

const maps = SETTINGS.filter(isMap).map((setting) => ({
  path: setting.path,
  prefix: `${variableOf(setting.path)}__`,
}));

function writtenPath(variable: string): string {
  const map = maps.find(({ prefix }) => variable.startsWith(prefix));
  if (map !== undefined) return `${map.path}.${variable.slice(map.prefix.length)}`;
  return variable.slice(VARIABLE_PREFIX.length).split('__').join('.');
}
