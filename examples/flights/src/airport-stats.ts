/** What the job computes for each airport, of the flights that leave it. */
export interface AirportStats {
  readonly airport: string;
  readonly flights: number;
  /** Minutes; the mean of the two middle delays where their number is even. */
  readonly medianDelay: number;
  /** Minutes; the smallest delay that 95 of 100 flights do not exceed (nearest rank). */
  readonly p95Delay: number;
  /** Flights more than 15 minutes late, and their share. */
  readonly late: number;
  readonly lateShare: number;
  /** The destination with most flights; the first in the alphabet of equals. */
  readonly busiestRoute: { readonly destination: string; readonly flights: number };
}

export interface Summary {
  readonly flights: number;
  readonly airports: number;
  readonly miles: number;
  readonly lateShare: number;
  /** The ten airports with the largest share of late flights, of those with enough flights to tell. */
  readonly worst: readonly AirportStats[];
}

export const LATE_MINUTES = 15;
/** Airports with fewer departures are left out of the ten worst. */
export const ENOUGH_FLIGHTS = 1000;
export const WORST_COUNT = 10;

/** What one partition contributes: its airports, and sums that only add up over all of them. */
export interface PartitionStats {
  readonly airports: readonly AirportStats[];
  readonly flights: number;
  readonly late: number;
  readonly miles: number;
}
