import { Command } from 'commander';
import { aboutBytes } from '@spillway/kernel';
import type { RetirementReport } from '@spillway/client';
import { EXIT, ExitRequest } from '../exit-codes.js';
import { durationOf } from './duration.js';

interface RetireFlags {
  readonly all?: true;
  readonly deadline?: number;
  readonly json?: true;
  readonly timeout: string;
}

/** Has workers leave without losing anything; exits with 1 when something was lost, or had to be computed again. */
export function retireCommand(): Command {
  return new Command('retire')
    .description(
      'Have workers leave: they take no more tasks, and what only they have is copied to others first.',
    )
    .argument('<scheduler>', 'host:port of the scheduler')
    .argument('[worker...]', 'names or ids of the workers')
    .option('--all', 'all workers, as the cluster is to end: their results have nowhere to go')
    .option('--deadline <duration>', 'how long they may take; default: scheduler.retire-deadline', durationOf)
    .option('--json', 'print one JSON document when all have gone')
    .option('--timeout <duration>', 'how long to try to connect', '10s')
    .addHelpText(
      'after',
      '\nA nanny starts no worker in place of one that retired, and ends with its last one. Exits with 1 when results were lost\n' +
        'or are computed again, or a worker died meanwhile.',
    )
    .action(async (scheduler: string, names: string[], { all, deadline, json, timeout }: RetireFlags) => {
      const { connect } = await import('@spillway/client');
      await using client = await connect(scheduler, { timeout });
      const workers = all === true ? (await client.workers({ timeout })).map(({ name }) => name) : names;
      const tell = (reports: readonly RetirementReport[]): void => {
        for (const report of reports) process.stderr.write(`${lineOf(report)}\n`);
      };
      const reports = await client.retireWorkers(workers, {
        ...(deadline === undefined ? {} : { deadline }),
        reason: 'spillway retire',
        onProgress: (progress) => {
          if (json !== true) tell(progress.filter(({ outcome }) => outcome === 'retiring'));
        },
      });
      if (json === true) process.stdout.write(`${JSON.stringify(reports, null, 2)}\n`);
      else for (const report of reports) process.stdout.write(`${lineOf(report)}\n`);
      if (!reports.every(isClean)) throw new ExitRequest(EXIT.failed);
    });
}

const isClean = ({ outcome, recomputedCount, lostCount, takenBackCount }: RetirementReport): boolean =>
  outcome === 'retired' && recomputedCount + lostCount + takenBackCount === 0;

/** `reader-0: retiring for 3.0 s, 12 results copied (48.00 MiB), 4 to go (16.00 MiB), 1 running`. What is zero is left out. */
export function lineOf(report: RetirementReport): string {
  const { name, outcome, forMs } = report;
  const parts = [`${outcome}${outcome === 'retiring' ? ' for' : ' after'} ${(forMs / 1000).toFixed(1)} s`];
  const add = (count: number, text: string): void => {
    if (count > 0) parts.push(`${count} ${text}`);
  };
  add(report.copiedCount, `results copied (${aboutBytes(report.copiedBytes)})`);
  if (outcome === 'retiring') {
    add(report.remainingCount, `to go (${aboutBytes(report.remainingBytes)})`);
    add(report.runningCount, 'running');
  }
  add(report.takenBackCount, 'tasks taken back');
  add(report.recomputedCount, 'results to be computed again');
  add(report.leftCount, 'results left on disk');
  add(report.lostCount, 'results lost');
  return `${name}: ${parts.join(', ')}`;
}
