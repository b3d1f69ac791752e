import { Simulation } from './simulator.js';

const SEEDS = 1_000;
const FIRST_SEED = 1;
/** What memory pressure brings, as the log names it. */
const EXERCISED = [
  'spill.started',
  'spill.refused',
  'spill.accepted',
  'memory.reclaimed',
  'worker.paused',
  'worker.resumed',
  'worker.recycling',
  'worker.adopted',
  'worker.values-left',
  'task.awaited',
  'worker.retired',
  'worker.retirement-blocked',
  'scheduler.recovered',
  'scheduler.recovery-ended',
];

test(`${SEEDS} seeds: nothing wrong while things go wrong, everything finishes once healed, nothing is left`, async () => {
  const totals = { graphs: 0, tasks: 0, executions: 0, workerDeaths: 0, refusals: 0 };
  const events = new Map<string, number>();
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const report = await new Simulation({ seed, ticks: 5_000 }).run();
    totals.graphs += report.graphs;
    totals.tasks += report.tasks;
    totals.executions += report.executions;
    totals.workerDeaths += report.workerDeaths;
    totals.refusals += report.refusals;
    for (const [name, count] of Object.entries(report.events))
      events.set(name, (events.get(name) ?? 0) + count);
  }
  // The seeds must have exercised what they are for.
  expect(totals.tasks).toBeGreaterThan(SEEDS * 20);
  expect(totals.workerDeaths).toBeGreaterThan(SEEDS / 10);
  expect(totals.refusals).toBeGreaterThan(SEEDS / 50);
  const seen = EXERCISED.filter((name) => (events.get(name) ?? 0) > SEEDS / 100);
  expect(seen).toEqual(EXERCISED);
}, 600_000);

test('the same seed gives the same run', async () => {
  const first = await new Simulation({ seed: 77 }).run();
  expect(await new Simulation({ seed: 77 }).run()).toEqual(first);
});

test('some 250 scale-downs under load, at random moments: no result is lost, and nothing is executed twice', async () => {
  const totals = { retired: 0, copied: 0, executedTwice: 0, takenBack: 0, recomputed: 0, lost: 0 };
  for (let seed = 1; seed <= 60; seed++) {
    const report = await new Simulation({ seed, ticks: 5_000, trouble: 'scale-downs' }).run();
    totals.retired += report.events['worker.retired'] ?? 0;
    totals.copied += report.retirements.copied;
    totals.executedTwice += report.executedTwice;
    totals.takenBack += report.retirements.takenBack;
    totals.recomputed += report.events['task.recomputed'] ?? 0;
    totals.lost += report.events['data.lost'] ?? 0;
  }
  expect(totals).toMatchObject({ executedTwice: 0, takenBack: 0, recomputed: 0, lost: 0 });
  // They must have been under load, or it says nothing.
  expect(totals.retired).toBeGreaterThan(200);
  expect(totals.copied).toBeGreaterThan(400);
}, 120_000);
