import { parseArgs } from 'node:util';
import { LocalCluster } from '@spillway/client';
import { flightsPath } from './dataset.js';
import { runFlightsJob } from './flights-job.js';
import { progressDisplay } from './progress-display.js';
import { renderSummary } from './report.js';

const WORKER_COUNT = 2;
const MEMORY_LIMIT = '256 MiB';
const PARTITION_COUNT = 8;
const USAGE = `Usage: npm run demo -- [options]

Summarizes 3,000,000 US flights on a local cluster of ${WORKER_COUNT} workers with ${MEMORY_LIMIT} each.

  --json   print one JSON document instead of a table
  --help   print this text
`;

const { values: flags } = parseArgs({
  options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
if (flags.help) process.stdout.write(USAGE);
else await runDemo(flags.json);

async function runDemo(json: boolean): Promise<void> {
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort(new Error('interrupted')));
  process.stderr.write(
    `Starting a scheduler, a nanny and ${WORKER_COUNT} workers with ${MEMORY_LIMIT} each …\n`,
  );
  const startedAtMs = performance.now();
  await using cluster = await LocalCluster.start({ workers: WORKER_COUNT, memoryLimit: MEMORY_LIMIT });
  await using client = await cluster.connect();
  const readyAtMs = performance.now();
  const display = progressDisplay(process.stderr);
  const summary = await runFlightsJob(client, {
    path: flightsPath(),
    partitionCount: PARTITION_COUNT,
    onProgress: (progress) => display.show(progress),
    signal: abort.signal,
  }).finally(() => display.end());
  const seconds = { start: (readyAtMs - startedAtMs) / 1000, job: (performance.now() - readyAtMs) / 1000 };
  if (json) process.stdout.write(`${JSON.stringify({ workers: WORKER_COUNT, seconds, summary }, null, 2)}\n`);
  else
    process.stdout.write(
      `\n${renderSummary(summary)}\n\n` +
        `Took ${seconds.job.toFixed(1)} s on ${WORKER_COUNT} workers (and ${seconds.start.toFixed(1)} s to start them).\n`,
    );
}
