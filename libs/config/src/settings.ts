/**
 * The one list of settings. Nothing else knows which exist: the type of a parsed configuration, the parser of files,
 * environment and flags, and docs/config.md all come from here.
 */
import { MAP_KIND } from './text-map.js';
import type { Program, Setting } from './setting.js';
import { clientSettings } from './settings/client.js';
import { nannySettings } from './settings/nanny.js';
import { schedulerSettings } from './settings/scheduler.js';
import { logSettings, securitySettings, tlsSettings } from './settings/shared.js';
import { workerSettings } from './settings/worker.js';

export const SETTINGS_TREE = {
  scheduler: schedulerSettings,
  worker: workerSettings,
  nanny: nannySettings,
  client: clientSettings,
  tls: tlsSettings,
  security: securitySettings,
  log: logSettings,
};

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

type ValuesOf<Tree> = {
  readonly [Name in keyof Tree & string as CamelCase<Name>]: Tree[Name] extends Setting<infer Value>
    ? Value
    : ValuesOf<Tree[Name]>;
};

/**
 * All settings, parsed: the tree of their paths in camelCase (`worker.memory.monitor-interval` is
 * `config.worker.memory.monitorInterval`). Bytes are numbers of bytes, durations are whole milliseconds, fractions are
 * above 0 and up to 1, and `false` means off or not given.
 */
export type SpillwayConfig = ValuesOf<typeof SETTINGS_TREE>;

export type SchedulerConfig = SpillwayConfig['scheduler'];
export type WorkerConfig = SpillwayConfig['worker'];
export type WorkerMemoryConfig = WorkerConfig['memory'];
export type NannyConfig = SpillwayConfig['nanny'];
export type ClientConfig = SpillwayConfig['client'];
export type TlsConfig = SpillwayConfig['tls'];
export type SecurityConfig = SpillwayConfig['security'];
export type LogConfig = SpillwayConfig['log'];

/** A setting with its place in the tree. */
export interface ListedSetting extends Setting<unknown> {
  /** In kebab-case, with dots: `worker.memory.monitor-interval`. */
  readonly path: string;
}

/** A group of settings, or a setting, by kebab-case name. */
export interface SettingsBranch {
  readonly [name: string]: Setting<unknown> | SettingsBranch;
}

export const isSetting = (node: Setting<unknown> | SettingsBranch): node is Setting<unknown> =>
  typeof node.parse === 'function';

function list(branch: SettingsBranch, prefix: string): ListedSetting[] {
  return Object.entries(branch).flatMap(([name, node]) => {
    const path = `${prefix}${name}`;
    return isSetting(node)
      ? [{ ...node, path, doc: node.doc.replaceAll(/\s+/g, ' ') }]
      : list(node, `${path}.`);
  });
}

/** Every setting, in the order of the documentation. */
export const SETTINGS: readonly ListedSetting[] = list(SETTINGS_TREE, '');

const byPath = new Map(SETTINGS.map((setting) => [setting.path, setting]));

/** The setting of a kebab-case path, if there is one. */
export const findSetting = (path: string): ListedSetting | undefined => byPath.get(path);

/** Settings that a program offers as command line flags. */
export const flagsOf = (program: Program): readonly ListedSetting[] =>
  SETTINGS.filter((setting) => setting.flag !== undefined && setting.programs.includes(program));

/** Whether sources add their names to this setting instead of replacing its value. */
export const isMap = (setting: Setting<unknown>): boolean => setting.kind === MAP_KIND;

/** The environment variable of a setting: `SPILLWAY_WORKER__MEMORY__MONITOR_INTERVAL`. */
export const variableOf = (path: string): string =>
  `SPILLWAY_${path.replaceAll('.', '__').replaceAll('-', '_').toUpperCase()}`;

/** A kebab-case name as it stands in `SpillwayConfig`. */
export const camelCase = (name: string): string =>
  name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
