import { Command } from 'commander';
import type { ProgramFiles } from '@spillway/platform';
import { EXIT } from '../exit-codes.js';
import { addSettingFlags } from '../setting-flags.js';
import { serve } from '../serve.js';

export function nannyCommand(programs: ProgramFiles): Command {
  const command = new Command('nanny')
    .description('Start a nanny, which starts workers, watches them and restarts them.')
    .argument('<scheduler>', 'host:port of the scheduler');
  return addSettingFlags(command, 'nanny').action(async (scheduler: string, flags: object) => {
    const { startNanny } = await import('@spillway/nanny');
    const nanny = await startNanny(scheduler, flags, programs);
    const finished = nanny.finished.then((how) => (how === 'asked' ? EXIT.ok : EXIT.cannotConnect));
    await Promise.race([nanny.allReady(), finished]);
    await serve({
      ready: { address: nanny.address, name: nanny.name },
      ended: finished,
      closeMsMax: nanny.closeMsMax,
      close: (reason, hasTime) => nanny.close(reason, { retires: hasTime }),
    });
  });
}
