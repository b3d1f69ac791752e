import { Command } from 'commander';
import { InvalidArgumentError } from '@spillway/kernel';
import { durationOf } from './duration.js';

interface RestartFlags {
  readonly all?: true;
  readonly rolling?: true;
  readonly json?: true;
  readonly timeout: number;
}

const TIMEOUT_MS = 120_000;

/** Replaces worker processes; what they have is taken over by their successors. */
export function restartCommand(): Command {
  return new Command('restart')
    .description('Replace worker processes by fresh ones of the same names, which take over what these have.')
    .argument('<scheduler>', 'host:port of the scheduler')
    .argument('[worker...]', 'names or ids of the workers')
    .option('--all', 'all workers')
    .option('--rolling', 'one after the other, the next when the former is there again')
    .option('--json', 'print one JSON document: the workers as they are after it')
    .option('--timeout <duration>', 'how long it may take until all are there again', durationOf, TIMEOUT_MS)
    .action(async (scheduler: string, names: string[], { all, rolling, json, timeout }: RestartFlags) => {
      if ((all === true) === names.length > 0)
        throw new InvalidArgumentError('Name the workers to restart, or say --all.');
      const { connect } = await import('@spillway/client');
      await using client = await connect(scheduler, { timeout });
      const workers = await client.restartWorkers(all === true ? undefined : names, {
        timeout,
        rolling: rolling === true,
        reason: 'spillway restart',
        onRestarted: ({ name, workerId }) => {
          if (json !== true) process.stdout.write(`${name}: restarted as ${workerId}\n`);
        },
      });
      if (json === true) process.stdout.write(`${JSON.stringify(workers, null, 2)}\n`);
    });
}
