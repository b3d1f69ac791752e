import { parseArgs } from 'node:util';
import { Simulation, SimulationFailure } from '@spillway/simulator';

const USAGE = `Usage: npm run simulate -- [options]

Runs a simulated cluster under a seed, with faults, and checks that nothing wrong happens and everything finishes.

  --seed N    the (first) seed, default 1
  --swarm N   how many seeds, one after the other, default 1
  --ticks N   simulated milliseconds of trouble, default 20000
  --help      print this text
`;

function wholeNumber(name: string, written: string): number {
  const value = Number(written);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  process.stderr.write(`--${name} takes a whole number, not ${written}\n`);
  process.exit(2);
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    swarm: { type: 'string', default: '1' },
    ticks: { type: 'string', default: '20000' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const firstSeed = wholeNumber('seed', values.seed);
const seedCount = wholeNumber('swarm', values.swarm);
const ticks = wholeNumber('ticks', values.ticks);

let failedCount = 0;
const startedAtMs = performance.now();
for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
  try {
    const report = await new Simulation({ seed, ticks }).run();
    if (seedCount === 1) process.stdout.write(`${JSON.stringify(report)}\n`);
  } catch (error) {
    failedCount += 1;
    process.stdout.write(
      `seed ${seed}: ${error instanceof SimulationFailure ? error.message : String(error)}\n`,
    );
  }
}
const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
process.stdout.write(
  `${seedCount} seeds in ${seconds} s: ${seedCount - failedCount} passed, ${failedCount} failed\n`,
);
process.exitCode = failedCount === 0 ? 0 : 1;
