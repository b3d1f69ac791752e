import { Command } from 'commander';
import { addSettingFlags } from '../setting-flags.js';
import { serve } from '../serve.js';

export function schedulerCommand(): Command {
  const command = new Command('scheduler').description('Start the scheduler of a cluster.');
  addSettingFlags(command, 'scheduler');
  // After --journal, or the journal would be a yes or no by default.
  command.option(
    '--no-journal',
    'Write nothing down: a crash of the scheduler loses all graphs. (scheduler.journal)',
  );
  return command.action(async (flags: object) => {
    const { startScheduler } = await import('@spillway/scheduler');
    const scheduler = await startScheduler(flags);
    await serve({
      ready: { address: scheduler.address, httpAddress: scheduler.httpAddress },
      close: (reason) => scheduler.close(reason),
    });
  });
}
