import { Command } from 'commander';
import { endAtOnce, type ProgramFiles } from '@spillway/platform';
import { EXIT } from '../exit-codes.js';
import { addSettingFlags } from '../setting-flags.js';
import { serve } from '../serve.js';

export function workerCommand(programs: ProgramFiles): Command {
  const command = new Command('worker')
    .description(
      'Start one worker without a nanny: nobody watches its memory from outside, nobody restarts it.',
    )
    .argument('<scheduler>', 'host:port of the scheduler');
  return addSettingFlags(command, 'worker').action(async (scheduler: string, flags: object) => {
    const { startWorker } = await import('@spillway/worker');
    const worker = await startWorker(scheduler, flags, { programs });
    await serve({
      ready: { address: worker.address, name: worker.name, workerId: worker.workerId },
      ended: worker.ended.then(async ({ how, reason }) => {
        await worker.close(reason);
        // The thread for which it ends may be in a native call yet, and this process has to make room for another.
        if (how === 'recycle') endAtOnce();
        return { recycle: EXIT.failed, closed: EXIT.ok, lost: EXIT.cannotConnect }[how];
      }),
      close: (reason) => worker.close(reason),
    });
  });
}
