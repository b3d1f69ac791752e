import Table from 'cli-table3';
import { Command } from 'commander';
import { aboutBytes } from '@spillway/kernel';

/** Lists the workers of a cluster. */
export function workersCommand(): Command {
  return new Command('workers')
    .description('List the workers of a cluster.')
    .argument('<scheduler>', 'host:port of the scheduler')
    .option('--json', 'print one JSON document')
    .option('--timeout <duration>', 'how long to try to connect', '10s')
    .action(async (scheduler: string, { json, timeout }: { json?: true; timeout: string }) => {
      const { connect } = await import('@spillway/client');
      await using client = await connect(scheduler, { timeout });
      const workers = await client.workers();
      if (json === true) {
        process.stdout.write(`${JSON.stringify(workers, null, 2)}\n`);
        return;
      }
      const table = new Table({
        head: ['name', 'status', 'threads', 'process memory', 'limit', 'keys', 'processing', 'address'],
        style: { head: [], border: [] },
      });
      for (const worker of workers)
        table.push([
          worker.name,
          worker.status,
          worker.nthreads,
          aboutBytes(worker.processBytes),
          worker.memoryLimitBytes === false ? 'none' : aboutBytes(worker.memoryLimitBytes),
          worker.keyCount,
          worker.processingCount,
          worker.address,
        ]);
      process.stdout.write(`${table.toString()}\n`);
    });
}
