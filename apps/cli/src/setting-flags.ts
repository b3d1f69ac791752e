import { Option, type Command } from 'commander';
import { flagsOf, type ListedSetting, type Program } from '@spillway/config';

/** Adds a flag for each setting of a program that has one; nothing is checked here, the settings' own parser does. */
export function addSettingFlags(command: Command, ...programs: readonly Program[]): Command {
  const seen = new Set<string>();
  for (const program of programs)
    for (const setting of flagsOf(program)) {
      if (setting.flag === undefined || seen.has(setting.flag)) continue;
      seen.add(setting.flag);
      command.addOption(optionOf(setting, setting.flag));
    }
  return command.addHelpText(
    'after',
    '\nEvery setting can also stand in spillway.yaml or in a SPILLWAY_… variable: `spillway config show` lists them all.',
  );
}

function optionOf(setting: ListedSetting, flag: string): Option {
  const [firstSentence = ''] = setting.doc.split(/(?<=\.)\s/);
  const description = `${firstSentence} [${setting.format(setting.default) || 'none'}] (${setting.path})`;
  if (setting.kind === 'yes or no' || (typeof setting.default === 'boolean' && !setting.mayBeOff))
    return new Option(`${flag} [value]`, description);
  if (setting.kind === 'map') return new Option(`${flag} <name=value>`, description).argParser(collect);
  return new Option(`${flag} <value>`, description);
}

/** `--environ A=1 --environ B=2` adds up. */
function collect(written: string, before: Record<string, string> | undefined): Record<string, string> {
  const at = written.indexOf('=');
  return at < 0 ? { ...before, [written]: '' } : { ...before, [written.slice(0, at)]: written.slice(at + 1) };
}
