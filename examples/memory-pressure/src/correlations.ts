/** The computation: which stations go together, for one lag after the other; the answer of a cluster, and of one process. */
import type { Client, Future, Handles } from '@spillway/client';
import * as tasks from './stations.tasks.js';

export type StationTasks = Handles<typeof tasks>;

export interface Size {
  readonly stations: number;
  readonly hours: number;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const pairsOf = (stations: number): readonly (readonly [number, number])[] =>
  range(stations).flatMap((a) => range(a).map((b) => [a, b] as const));

/** All pairs at this lag, computed by tasks over values that workers hold. */
export async function correlationsAt(
  lagHours: number,
  readings: readonly Future<Float64Array>[],
  { client, correlate, signal }: { client: Client; signal: AbortSignal } & Pick<StationTasks, 'correlate'>,
): Promise<readonly number[]> {
  const pairs = pairsOf(readings.length);
  const results = client.map(
    correlate,
    pairs.map(([a]) => readings[a]!),
    pairs.map(([, b]) => readings[b]!),
    pairs.map(() => lagHours),
  );
  try {
    return await client.gather(results, { signal });
  } finally {
    client.release(results);
  }
}

/** The same in this process, for as many lags. */
export function computeInOneProcess(
  { stations, hours }: Size,
  lagCount: number,
): readonly (readonly number[])[] {
  const readings = range(stations).map((station) => tasks.readStation(station, hours));
  return range(lagCount).map((lag) =>
    pairsOf(stations).map(([a, b]) => tasks.correlate(readings[a]!, readings[b]!, lag)),
  );
}
