import { flightsPath } from './dataset.js';
import type { FlightColumns } from './flight-columns.js';
import * as tasks from './flights.tasks.js';
import { countRowGroups, readRowGroup } from './read-flights.js';
import { computeInOneProcess } from './reference.js';
import { renderSummary } from './report.js';

const path = flightsPath();

test('the tasks, run one after the other, give the identical answer to the plain reference', async () => {
  const groups: FlightColumns[] = [];
  for (let group = 0; group < (await countRowGroups(path)); group++)
    groups.push(await readRowGroup(path, group));
  const partitions = Array.from({ length: 8 }, (_, p) =>
    tasks.summarizePartition(groups.map((group) => tasks.selectPartition(group, p, 8))),
  );
  const summary = tasks.mergePartitions(partitions);
  expect(summary).toEqual(await computeInOneProcess(path));
  expect(summary.flights).toBe(3_000_000);
  expect(renderSummary(summary)).toContain('3,000,000 flights');
}, 120_000);

test('years of the same flights are summarized like one, but for how many there are', async () => {
  const group = await readRowGroup(path, 0);
  const years = [0, 1, 2].map((year) => tasks.laterYear(group, year));
  const summaryOf = (groups: readonly FlightColumns[]) =>
    tasks.mergePartitions(
      [0, 1].map((p) => tasks.summarizePartition(groups.map((g) => tasks.selectPartition(g, p, 2)))),
    );

  const one = summaryOf([group]);
  const three = summaryOf(years);

  expect(three).toMatchObject({ flights: 3 * one.flights, miles: 3 * one.miles, lateShare: one.lateShare });
  expect(years[2]!.date[0]! - group.date[0]!).toBe(2 * 365 * 24 * 60);
}, 60_000);
