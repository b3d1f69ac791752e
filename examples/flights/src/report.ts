import Table from 'cli-table3';
import type { Summary } from './airport-stats.js';

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const count = (value: number): string => value.toLocaleString('en-US');

/** The summary as people like to read it. */
export function renderSummary(summary: Summary): string {
  const table = new Table({
    head: ['airport', 'flights', 'median delay', '95th percentile', 'late > 15 min', 'busiest route'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [] },
  });
  for (const { airport, flights, medianDelay, p95Delay, lateShare, busiestRoute } of summary.worst)
    table.push([
      airport,
      count(flights),
      `${medianDelay} min`,
      `${p95Delay} min`,
      percent(lateShare),
      `${airport} → ${busiestRoute.destination} (${count(busiestRoute.flights)})`,
    ]);
  return [
    `The ten airports where most flights leave late, of ${count(summary.airports)}:`,
    table.toString(),
    `${count(summary.flights)} flights, ${count(summary.miles)} miles, ${percent(summary.lateShare)} left more than ` +
      `15 minutes late.`,
  ].join('\n');
}
