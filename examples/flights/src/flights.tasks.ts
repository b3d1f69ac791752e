import { currentTask } from '@spillway/client';
import { ENOUGH_FLIGHTS, LATE_MINUTES, WORST_COUNT } from './airport-stats.js';
import type { AirportStats, PartitionStats, Summary } from './airport-stats.js';
import { pickRows, type FlightColumns } from './flight-columns.js';
import { AirportNumbers, readRowGroup } from './read-flights.js';

const YEAR_MINUTES = 365 * 24 * 60;

/** Reads one row group of the parquet file. */
export async function readGroup(path: string, group: number): Promise<FlightColumns> {
  const flights = await readRowGroup(path, group);
  currentTask().logger.debug(`read ${flights.delay.length} flights of row group ${group}`);
  return flights;
}

/** The same flights so many years later: what the job is made larger with. */
export function laterYear(flights: FlightColumns, years: number): FlightColumns {
  return { ...flights, date: flights.date.map((minutes) => minutes + years * YEAR_MINUTES) };
}

/** The exchange: of one row group, the flights whose origin belongs to one partition. */
export function selectPartition(
  flights: FlightColumns,
  partition: number,
  partitionCount: number,
): FlightColumns {
  const isMine = Uint8Array.from(flights.airports, (airport) =>
    partitionOf(airport, partitionCount) === partition ? 1 : 0,
  );
  let count = 0;
  for (const origin of flights.origin) count += isMine[origin]!;
  const rows = new Uint32Array(count);
  for (let row = 0, at = 0; at < count; row++) if (isMine[flights.origin[row]!] === 1) rows[at++] = row;
  return pickRows(flights, rows);
}

/** Statistics of every airport of one partition, from what all row groups sent it. */
export function summarizePartition(parts: readonly FlightColumns[]): PartitionStats {
  const numbers = new AirportNumbers();
  const counts: number[] = [];
  for (const { airports, origin } of parts) {
    const numberOf = airports.map((airport) => numbers.of(airport));
    for (const place of origin) counts[numberOf[place]!] = (counts[numberOf[place]!] ?? 0) + 1;
  }
  // Airports that flights only go to have no counts. The rest is filled in place: no second copy of the flights is made.
  const departures = numbers.airports.map((airport, number) => new Departures(airport, counts[number] ?? 0));
  let miles = 0;
  for (const part of parts) {
    const numberOf = part.airports.map((airport) => numbers.of(airport));
    for (let row = 0; row < part.origin.length; row++) {
      departures[numberOf[part.origin[row]!]!]!.add(part.delay[row]!, part.airports[part.destination[row]!]!);
      miles += part.distance[row]!;
    }
  }
  const airports = departures.filter(({ count }) => count > 0).map((each) => each.stats());
  return {
    airports,
    flights: airports.reduce((sum, { flights }) => sum + flights, 0),
    late: airports.reduce((sum, { late }) => sum + late, 0),
    miles,
  };
}

/** The totals and the ten worst airports. */
export function mergePartitions(partitions: readonly PartitionStats[]): Summary {
  const airports = partitions.flatMap((partition) => partition.airports);
  const total = (name: 'flights' | 'late' | 'miles'): number =>
    partitions.reduce((sum, p) => sum + p[name], 0);
  return {
    flights: total('flights'),
    airports: airports.length,
    miles: total('miles'),
    lateShare: total('late') / total('flights'),
    worst: airports
      .filter(({ flights }) => flights >= ENOUGH_FLIGHTS)
      .sort((a, b) => b.lateShare - a.lateShare || (a.airport < b.airport ? -1 : 1))
      .slice(0, WORST_COUNT),
  };
}

/** Spreads airports over partitions by name. Every task must come to the same answer, whatever it has seen. */
function partitionOf(airport: string, partitionCount: number): number {
  let hash = 0;
  for (let i = 0; i < airport.length; i++) hash = (Math.imul(hash, 31) + airport.charCodeAt(i)) >>> 0;
  return hash % partitionCount;
}

/** The flights that leave one airport. Requires: `add` as often as it was said that there are. */
class Departures {
  readonly #delays: Int16Array;
  readonly #routes = new Map<string, number>();
  #filled = 0;

  constructor(
    private readonly airport: string,
    readonly count: number,
  ) {
    this.#delays = new Int16Array(count);
  }

  add(delay: number, destination: string): void {
    this.#delays[this.#filled++] = delay;
    this.#routes.set(destination, (this.#routes.get(destination) ?? 0) + 1);
  }

  stats(): AirportStats {
    const { count } = this;
    const sorted = this.#delays.sort();
    const middle = count >> 1;
    const late = sorted.reduce((sum, delay) => sum + (delay > LATE_MINUTES ? 1 : 0), 0);
    const [destination, flights] = [...this.#routes].sort(
      (a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1),
    )[0]!;
    return {
      airport: this.airport,
      flights: count,
      medianDelay: count % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2,
      p95Delay: sorted[Math.ceil(count * 0.95) - 1]!,
      late,
      lateShare: late / count,
      busiestRoute: { destination, flights },
    };
  }
}
