import { Command } from 'commander';
import { explainConfig, readConfigSources } from '@spillway/config';
import { configDoors } from '@spillway/platform';

/** Shows the settings in force here. */
export function configCommand(): Command {
  const command = new Command('config').description('Show settings.');
  command
    .command('show')
    .description('Print every setting as this machine and folder have it.')
    .option('--origin', 'say where each value comes from')
    .option('--json', 'print one JSON document')
    .helpOption('--help', 'print this text')
    .action(async ({ origin, json }: { origin?: true; json?: true }) => {
      const settings = explainConfig(await readConfigSources(configDoors()));
      if (json === true) {
        process.stdout.write(`${JSON.stringify(settings, null, 2)}\n`);
        return;
      }
      for (const setting of settings)
        process.stdout.write(
          `${setting.path}: ${setting.text}${origin === true ? `   # ${setting.origin}` : ''}\n`,
        );
    });
  return command;
}
