import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { AirportStats, Summary } from './airport-stats.js';

interface FlightRow {
  readonly delay: bigint;
  readonly distance: bigint;
  readonly origin: string;
  readonly destination: string;
}

/**
 * The same answer in one process, row by row, with plain arrays: slow and obvious. Shares no code with the tasks, so
 * that a mistake in one shows.
 */
export async function computeInOneProcess(path: string): Promise<Summary> {
  const file = await asyncBufferFromFile(path);
  const columns = ['delay', 'distance', 'origin', 'destination'];
  const flights = (await parquetReadObjects({ file, compressors, columns })) as unknown as FlightRow[];

  const delaysOf = new Map<string, number[]>();
  const routesOf = new Map<string, Map<string, number>>();
  let miles = 0;
  let late = 0;
  for (const { delay, distance, origin, destination } of flights) {
    if (!delaysOf.has(origin)) {
      delaysOf.set(origin, []);
      routesOf.set(origin, new Map());
    }
    delaysOf.get(origin)!.push(Number(delay));
    const routes = routesOf.get(origin)!;
    routes.set(destination, (routes.get(destination) ?? 0) + 1);
    miles += Number(distance);
    if (delay > 15n) late += 1;
  }

  const airports = [...delaysOf].map(([airport, delays]): AirportStats => {
    const sorted = delays.toSorted((a, b) => a - b);
    const half = sorted.length / 2;
    const routes = [...routesOf.get(airport)!].toSorted(
      ([nameA, countA], [nameB, countB]) => countB - countA || nameA.localeCompare(nameB),
    );
    return {
      airport,
      flights: sorted.length,
      medianDelay: Number.isInteger(half)
        ? (sorted[half - 1]! + sorted[half]!) / 2
        : sorted[Math.floor(half)]!,
      p95Delay: sorted[Math.ceil(0.95 * sorted.length) - 1]!,
      late: sorted.filter((delay) => delay > 15).length,
      lateShare: sorted.filter((delay) => delay > 15).length / sorted.length,
      busiestRoute: { destination: routes[0]![0], flights: routes[0]![1] },
    };
  });
  return {
    flights: flights.length,
    airports: airports.length,
    miles,
    lateShare: late / flights.length,
    worst: airports
      .filter((airport) => airport.flights >= 1000)
      .toSorted((a, b) => b.lateShare - a.lateShare || a.airport.localeCompare(b.airport))
      .slice(0, 10),
  };
}
