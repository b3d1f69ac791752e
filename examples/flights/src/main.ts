import { parseArgs } from 'node:util';
import { LocalCluster } from '@spillway/client';
import { flightsPath } from './dataset.js';
import { runFlightsJob } from './flights-job.js';
import { MemoryWatch, renderMemory } from './memory-report.js';
import { progressDisplay } from './progress-display.js';
import { renderSummary } from './report.js';

const WORKER_COUNT = 2;
const MEMORY_LIMIT = '256 MiB';
const PARTITION_COUNT = 16;
const FLIGHTS_PER_YEAR = 3_000_000;
const DEFAULT_SCALE = 15;
const SCALE_MAX = 200;
const USAGE = `Usage: npm run demo -- [options]

Summarizes 3,000,000 US flights, repeated for as many years as --scale says, on a local cluster of ${WORKER_COUNT} workers with
${MEMORY_LIMIT} each. At the default scale the flights are larger than the workers' memory, so that they spill to disk.

  --scale <years>   1 to ${SCALE_MAX}, default ${DEFAULT_SCALE}
  --json            print one JSON document instead of tables
  --help            print this text
`;

const flags = parseFlags();
if (flags.help) process.stdout.write(USAGE);
else await runDemo(flags);

function parseFlags(): { readonly json: boolean; readonly help: boolean; readonly scale: number } {
  try {
    const { values } = parseArgs({
      options: {
        scale: { type: 'string', default: String(DEFAULT_SCALE) },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    return { ...values, scale: wholeNumber(values.scale) };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return process.exit(2);
  }
}

function wholeNumber(written: string): number {
  const scale = Number(written);
  if (Number.isInteger(scale) && scale >= 1 && scale <= SCALE_MAX) return scale;
  throw new RangeError(`--scale takes a whole number from 1 to ${SCALE_MAX}, not ${written}.`);
}

async function runDemo({ json, scale }: { readonly json: boolean; readonly scale: number }): Promise<void> {
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort(new Error('interrupted')));
  process.stderr.write(
    `Starting a scheduler, a nanny and ${WORKER_COUNT} workers with ${MEMORY_LIMIT} each, for ` +
      `${(scale * FLIGHTS_PER_YEAR).toLocaleString('en-US')} flights …\n`,
  );
  const startedAtMs = performance.now();
  await using cluster = await LocalCluster.start({ workers: WORKER_COUNT, memoryLimit: MEMORY_LIMIT });
  await using client = await cluster.connect();
  const readyAtMs = performance.now();
  const watch = new MemoryWatch(client);
  const display = progressDisplay(process.stderr);
  const summary = await runFlightsJob(client, {
    path: flightsPath(),
    partitionCount: PARTITION_COUNT,
    scale,
    onProgress: (progress) => display.show(progress),
    signal: abort.signal,
  }).finally(() => display.end());
  const seconds = { start: (readyAtMs - startedAtMs) / 1000, job: (performance.now() - readyAtMs) / 1000 };
  const memory = await watch.stop();
  if (json)
    process.stdout.write(
      `${JSON.stringify({ workers: WORKER_COUNT, scale, seconds, memory, summary }, null, 2)}\n`,
    );
  else
    process.stdout.write(
      `\n${renderSummary(summary)}\n\n${renderMemory(memory)}\n\n` +
        `Took ${seconds.job.toFixed(1)} s on ${WORKER_COUNT} workers (and ${seconds.start.toFixed(1)} s to start them).\n`,
    );
}
