import type { Client, Future } from '@spillway/client';
import type { PartitionStats, Summary } from './airport-stats.js';
import type { FlightColumns } from './flight-columns.js';
import { countRowGroups } from './read-flights.js';

export interface JobOptions {
  /** The parquet file, readable by the workers. */
  readonly path: string;
  readonly partitionCount: number;
  /** How many years of flights: the file's, again and again. Default 1. */
  readonly scale?: number;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

export interface Progress {
  readonly stage: 'reading' | 'repeating' | 'exchanging' | 'summarizing';
  readonly done: number;
  readonly total: number;
}

/** Reads the flights, re-partitions them by origin across the cluster, and summarizes every airport. */
export async function runFlightsJob(client: Client, options: JobOptions): Promise<Summary> {
  const { path, partitionCount, scale = 1, onProgress, signal } = options;
  const tasks = await client.load<typeof import('./flights.tasks.js')>(
    new URL('./flights.tasks.ts', import.meta.url),
  );

  const groups: Future<FlightColumns>[] = [];
  const repeated: Future<FlightColumns>[] = [];
  const partsOf = Array.from({ length: partitionCount }, (): Future<FlightColumns>[] => []);
  const groupCount = await countRowGroups(path);
  for (let group = 0; group < groupCount; group++) {
    const first = client.submit(tasks.readGroup, path, group);
    groups.push(first);
    for (let year = 0; year < scale; year++) {
      const flights = year === 0 ? first : client.submit(tasks.laterYear, first, year);
      if (year > 0) repeated.push(flights);
      // All parts of a group right behind it: it is in memory only until they are made.
      partsOf.forEach((parts, partition) =>
        parts.push(client.submit(tasks.selectPartition, flights, partition, partitionCount)),
      );
    }
  }
  const partitions: Future<PartitionStats>[] = partsOf.map((parts) =>
    client.submit(tasks.summarizePartition, parts),
  );
  const summary = client.submit(tasks.mergePartitions, partitions);

  await Promise.all([
    follow(client, 'reading', groups, onProgress, signal),
    follow(client, 'repeating', repeated, onProgress, signal),
    follow(client, 'exchanging', partsOf.flat(), onProgress, signal),
    follow(client, 'summarizing', partitions, onProgress, signal),
  ]);
  const result = await summary.result({ ...(signal === undefined ? {} : { signal }) });
  for (const future of [...partitions, summary]) future.release();
  return result;
}

/** Reports each future as it comes to an end, and lets go of it when what needs it has taken it. */
async function follow(
  client: Client,
  stage: Progress['stage'],
  futures: readonly Future<unknown>[],
  onProgress: JobOptions['onProgress'],
  signal: AbortSignal | undefined,
): Promise<void> {
  let done = 0;
  for await (const future of client.asCompleted(futures, signal === undefined ? {} : { signal })) {
    onProgress?.({ stage, done: ++done, total: futures.length });
    // The result stays on the workers for as long as another task needs it.
    if (stage !== 'summarizing') future.release();
  }
}
