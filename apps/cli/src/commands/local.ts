import { Command } from 'commander';
import type { ProgramFiles } from '@spillway/platform';
import { addSettingFlags } from '../setting-flags.js';
import { serve } from '../serve.js';

/** A whole cluster on this machine: scheduler and nanny in this process, workers in their own. */
export function localCommand(programs: ProgramFiles): Command {
  const command = new Command('local').description(
    'Start a scheduler, a nanny and its workers on this machine.',
  );
  return addSettingFlags(command, 'scheduler', 'nanny').action(async (flags: Record<string, unknown>) => {
    const { startScheduler } = await import('@spillway/scheduler');
    const { startNanny } = await import('@spillway/nanny');
    const scheduler = await startScheduler(flags);
    // The scheduler has the ports that were asked for; the nanny takes any.
    const nanny = await startNanny(scheduler.address, { ...flags, port: 0 }, programs);
    await nanny.allReady();
    await serve({
      ready: { address: scheduler.address, httpAddress: scheduler.httpAddress },
      close: async (reason) => {
        await nanny.close(reason);
        await scheduler.close(reason);
      },
    });
  });
}
