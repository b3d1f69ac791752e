/** From sources to a configuration: the value of each setting with its origin, or one error with all that is wrong. */
import { entriesOf, type ConfigEntry } from './entries.js';
import { invalidConfig, type ConfigProblem } from './problems.js';
import { RELATIONS, type Relation } from './relations.js';
import type { Program } from './setting.js';
import {
  camelCase,
  isMap,
  SETTINGS,
  variableOf,
  type ListedSetting,
  type SpillwayConfig,
} from './settings.js';
import type { ConfigSource } from './source.js';

/** The value that a setting has, and where it comes from. */
export interface ExplainedSetting {
  readonly path: string;
  readonly value: unknown;
  /** As it could be written in the environment. */
  readonly text: string;
  /** `default`, or `file:line`, variable, flag; several, with commas between them, for a map that was added to. */
  readonly origin: string;
}

export const DEFAULT_ORIGIN = 'default';

interface Resolved {
  readonly value: unknown;
  readonly origin: string;
}

/**
 * The parsed configuration, frozen. Throws one `InvalidConfigError` with everything wrong in any of the sources.
 * `listeners`: the programs that will listen on what it says; beyond loopback they need TLS or `security.insecure`.
 */
export function loadConfig(
  sources: readonly ConfigSource[],
  listeners: readonly Program[] = [],
): SpillwayConfig {
  return toTree(resolve(sources, listeners));
}

/** Every setting with its value and where it comes from. Throws as `loadConfig` does. */
export function explainConfig(sources: readonly ConfigSource[]): readonly ExplainedSetting[] {
  const resolved = resolve(sources, []);
  return SETTINGS.map((setting) => {
    const { value, origin } = resolved.get(setting.path) ?? byDefault(setting);
    return { path: setting.path, value, text: setting.format(value), origin };
  });
}

/**
 * The settings that `wanted` lets through, as environment variables: how a program hands its configuration to a child,
 * over whatever files and variables the child finds itself. Reading them back gives the same values.
 */
export function toEnvironment(
  config: SpillwayConfig,
  wanted: (setting: ListedSetting) => boolean,
): Record<string, string> {
  const chosen = SETTINGS.filter(wanted);
  return Object.fromEntries(
    chosen.map((setting) => [variableOf(setting.path), setting.format(valueAt(config, setting.path))]),
  );
}

const byDefault = (setting: ListedSetting): Resolved => ({ value: setting.default, origin: DEFAULT_ORIGIN });

function resolve(
  sources: readonly ConfigSource[],
  listeners: readonly Program[],
): ReadonlyMap<string, Resolved> {
  const problems: ConfigProblem[] = [];
  const wrongPaths = new Set<string>();
  const resolved = new Map(SETTINGS.map((setting) => [setting.path, byDefault(setting)]));
  for (const source of sources) {
    problems.push(...(source.problems ?? []));
    for (const entry of entriesOf(source, problems)) {
      const { path } = entry.setting;
      const parsed = entry.setting.parse(withUnit(entry, source));
      if (parsed.ok) {
        resolved.set(path, merged(entry, parsed.value, resolved.get(path)));
      } else {
        wrongPaths.add(path);
        problems.push(wrongValue(entry));
      }
    }
  }
  problems.push(...brokenRelations(resolved, wrongPaths, listeners));
  if (problems.length > 0) throw invalidConfig(problems);
  return resolved;
}

const withUnit = ({ setting, written }: ConfigEntry, source: ConfigSource): unknown =>
  source.fromCode === true && setting.kind === 'duration' && typeof written === 'number'
    ? `${written}ms`
    : written;

function wrongValue({ setting, written, origin }: ConfigEntry): ConfigProblem {
  return { path: setting.path, value: written, expected: `expected ${setting.expected}`, origin };
}

/** A later value replaces an earlier one, except that maps add up. */
function merged({ setting, origin }: ConfigEntry, value: unknown, before: Resolved | undefined): Resolved {
  if (!isMap(setting) || before === undefined || before.origin === DEFAULT_ORIGIN) return { value, origin };
  return {
    value: { ...(before.value as object), ...(value as object) },
    origin: `${before.origin}, ${origin}`,
  };
}

function brokenRelations(
  resolved: ReadonlyMap<string, Resolved>,
  wrongPaths: ReadonlySet<string>,
  listeners: readonly Program[],
): ConfigProblem[] {
  const config = toTree(resolved);
  const matters = ({ listener, paths }: Relation): boolean =>
    (listener === undefined || listeners.includes(listener)) && !paths.some((path) => wrongPaths.has(path));
  return RELATIONS.filter(matters).flatMap((relation) => {
    const broken = relation.check(config);
    if (broken === undefined) return [];
    const origins = relation.paths.map((path) => `${path}: ${resolved.get(path)?.origin ?? DEFAULT_ORIGIN}`);
    return [{ path: relation.paths[0] ?? '', expected: broken, origin: origins.join(', ') }];
  });
}

type Tree = { [name: string]: unknown };

function toTree(resolved: ReadonlyMap<string, Resolved>): SpillwayConfig {
  const root: Tree = {};
  for (const [path, { value }] of resolved) {
    const names = path.split('.').map(camelCase);
    const last = names.pop() ?? '';
    let branch = root;
    for (const name of names) branch = (branch[name] ??= {}) as Tree;
    branch[last] = value;
  }
  return deepFrozen(root) as SpillwayConfig;
}

function deepFrozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const child of Object.values(value)) deepFrozen(child);
  return Object.freeze(value);
}

function valueAt(config: SpillwayConfig, path: string): unknown {
  return path.split('.').reduce<unknown>((branch, name) => (branch as Tree)[camelCase(name)], config);
}
