import Table from 'cli-table3';
import { Command } from 'commander';
import { aboutBytes } from '@spillway/kernel';
import type { TrimConclusion, TrimReport } from '@spillway/client';

interface TrimFlags {
  readonly workers?: readonly string[];
  readonly json?: true;
  readonly timeout: string;
}

interface TrimmedWorker extends TrimReport, TrimConclusion {
  readonly workerId: string;
  readonly name: string;
}

/** Trims the workers' memory once, and says what that shows: memory that was hoarded, or likely a leak. */
export function trimCommand(): Command {
  return new Command('trim')
    .description('Have workers give back memory that they hold for nobody, and say what it was.')
    .argument('<scheduler>', 'host:port of the scheduler')
    .option('--workers <names>', 'names or ids, with commas between; default all', listOf)
    .option('--json', 'print one JSON document')
    .option('--timeout <duration>', 'how long to try to connect, and to wait for the workers', '30s')
    .addHelpText(
      'after',
      '\nA look at a worker whose unmanaged memory is high. Workers trim by themselves: see worker.memory.trim.',
    )
    .action(async (scheduler: string, { workers, json, timeout }: TrimFlags) => {
      const { concludeTrim, connect, trimMemory } = await import('@spillway/client');
      await using client = await connect(scheduler, { timeout });
      const reports = await client.run(trimMemory, [], { workers, timeout });
      const names = new Map(
        (await client.workers({ timeout })).map(({ workerId, name }) => [workerId as string, name]),
      );
      const trimmed = [...reports].map(([workerId, report]): TrimmedWorker => ({
        workerId,
        name: names.get(workerId) ?? workerId,
        ...report,
        ...concludeTrim(report),
      }));
      process.stdout.write(json === true ? `${JSON.stringify(trimmed, null, 2)}\n` : trimTable(trimmed));
    });
}

function trimTable(workers: readonly TrimmedWorker[]): string {
  const table = new Table({
    head: ['name', 'allocator', 'before', 'after', 'given back', 'managed', 'unmanaged', 'verdict'],
    style: { head: [], border: [] },
  });
  for (const worker of workers)
    table.push([
      worker.name,
      worker.allocator,
      aboutBytes(worker.beforeBytes),
      aboutBytes(worker.afterBytes),
      aboutBytes(worker.givenBackBytes),
      aboutBytes(worker.managedBytes),
      aboutBytes(worker.unmanagedAfterBytes),
      worker.verdict.replaceAll('-', ' '),
    ]);
  return [table.toString(), ...workers.map(({ name, text }) => `${name}: ${text}`)].join('\n') + '\n';
}

const listOf = (written: string): string[] =>
  written
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
