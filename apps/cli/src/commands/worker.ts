import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { endAtOnce, type ProgramFiles } from '@spillway/platform';
import { EXIT } from '../exit-codes.js';
import { addSettingFlags } from '../setting-flags.js';
import { serve } from '../serve.js';

/** Beside retiring. */
const CLOSE_MS_MAX = 20_000;
/** The scheduler lets a worker go when its time is over. */
const RETIRE_SLACK_MS = 500;

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
      closeMsMax: (worker.retireMs || 0) + CLOSE_MS_MAX,
      ended: worker.ended.then(async ({ how, reason }) => {
        await worker.close(reason);
        // The thread for which it ends may be in a native call yet, and this process has to make room for another.
        if (how === 'recycle') endAtOnce();
        return { recycle: EXIT.failed, closed: EXIT.ok, retired: EXIT.ok, lost: EXIT.cannotConnect }[how];
      }),
      close: async (reason, hasTime) => {
        if (hasTime && worker.retire(reason)) {
          const late = sleep((worker.retireMs || 0) + RETIRE_SLACK_MS, undefined, { ref: false });
          await Promise.race([worker.ended, late]);
        }
        await worker.close(reason);
      },
    });
  });
}
