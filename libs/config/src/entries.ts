/** Turns what a source holds into entries of known settings, and says which names are none. */
import { isMap, isSetting, SETTINGS, SETTINGS_TREE, findSetting, type SettingsBranch } from './settings.js';
import type { ConfigProblem } from './problems.js';
import type { ListedSetting } from './settings.js';
import type { ConfigSource } from './source.js';
import { suggest } from './suggestion.js';

/** One value for one setting, as written. */
export interface ConfigEntry {
  readonly setting: ListedSetting;
  readonly written: unknown;
  readonly origin: string;
}

/** How the tree spells a name that someone may have written in another style. */
export function kebabCase(written: string): string {
  const isAllCapitals = !/[a-z]/.test(written);
  const spaced = isAllCapitals ? written : written.replaceAll(/(?<=[a-z0-9])([A-Z])/g, '-$1');
  return spaced.toLowerCase().replaceAll('_', '-');
}

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Everything in a source that is a setting's value; what is not goes into `problems`. */
export function entriesOf(source: ConfigSource, problems: ConfigProblem[]): ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  const originOf = (writtenPath: string): string => source.originOf?.(writtenPath) ?? source.origin;

  function visit(
    value: unknown,
    found: readonly string[],
    writtenPath: string,
    branch: SettingsBranch,
  ): void {
    if (value === undefined) return;
    if (!isGroup(value)) {
      // A group with nothing below it, as in a file whose entries are all commented out.
      if (value === null) return;
      problems.push({
        path: writtenPath,
        value,
        expected: 'expected a group of settings',
        origin: originOf(writtenPath),
      });
      return;
    }
    for (const [name, child] of Object.entries(value)) {
      if (child !== undefined) step(name.split('.'), child, found, joined(writtenPath, name), branch);
    }
  }

  function step(
    names: readonly string[],
    value: unknown,
    found: readonly string[],
    writtenPath: string,
    branch: SettingsBranch,
  ): void {
    const [name = '', ...rest] = names;
    const known = kebabCase(name);
    const path = [...found, known];
    const node = Object.hasOwn(branch, known) ? branch[known] : undefined;
    if (node === undefined) {
      problems.push(unknownName([...found, ...names], writtenPath, source));
    } else if (!isSetting(node)) {
      if (rest.length > 0) step(rest, value, path, writtenPath, node);
      else visit(value, path, writtenPath, node);
    } else if (rest.length === 0 || isMap(node)) {
      const written = rest.length === 0 ? value : { [rest.join('.')]: value };
      const setting = findSetting(path.join('.'));
      if (setting !== undefined) entries.push({ setting, written, origin: originOf(writtenPath) });
    } else {
      problems.push(unknownName([...found, ...names], writtenPath, source));
    }
  }

  visit(source.values, [], '', SETTINGS_TREE);
  return entries;
}

const joined = (prefix: string, name: string): string => (prefix === '' ? name : `${prefix}.${name}`);

function unknownName(names: readonly string[], writtenPath: string, source: ConfigSource): ConfigProblem {
  const path = names.map(kebabCase).join('.');
  const nearest = suggest(
    path,
    SETTINGS.map((setting) => setting.path),
  );
  const problem = {
    path: writtenPath,
    expected: 'no such setting',
    origin: source.originOf?.(writtenPath) ?? source.origin,
  };
  return nearest === undefined ? problem : { ...problem, suggestion: source.nameOf?.(nearest) ?? nearest };
}
