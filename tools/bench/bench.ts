import { parseArgs } from 'node:util';
import { allocatorsCompared } from './allocator.js';
import { chainStep, roundTrip } from './latency.js';
import { journaling } from './journal.js';
import { leakMatrix } from './matrix.js';
import { thisMachine } from './machine.js';
import { memoryUnderLoad } from './memory.js';
import { spawnToRegistered } from './start-up.js';
import { spilling } from './spill.js';
import { trivialTasks } from './throughput.js';
import { workerToWorker } from './transfer.js';

/** `npm run bench`: reports, asserts nothing. Machines are shared and noisy: compare figures of one run only. */
type Bench = () => Promise<readonly Figure[]> | AsyncGenerator<Figure>;
const BENCHES: Readonly<Record<string, Bench>> = {
  machine: thisMachine,
  start: spawnToRegistered,
  throughput: trivialTasks,
  latency: async () => [...(await roundTrip()), ...(await chainStep())],
  transfer: workerToWorker,
  allocator: allocatorsCompared,
  spill: spilling,
  memory: memoryUnderLoad,
  matrix: leakMatrix,
  journal: journaling,
};

/** One measured number. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** How it was taken: counts, percentile, spread. */
  readonly how: string;
}

/** Without names: what takes a minute together; the others take up to ten each. */
const QUICK = ['machine', 'start', 'throughput', 'latency', 'transfer'];

const USAGE = `Usage: npm run bench -- [${Object.keys(BENCHES).join('|')} …|all] [--json]\n\nWithout names: ${QUICK.join(', ')}.\n`;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((name) => !(name in BENCHES) && name !== 'all');
const chosen = positionals.length === 0 ? QUICK : positionals;
if (values.help || unknown.length > 0) {
  (values.help ? process.stdout : process.stderr).write(USAGE);
  process.exit(values.help ? 0 : 2);
}

const figures: Figure[] = [];
for (const [name, bench] of Object.entries(BENCHES)) {
  if (!chosen.includes(name) && !chosen.includes('all')) continue;
  process.stderr.write(`${name} …\n`);
  for await (const figure of figuresOf(bench)) {
    figures.push(figure);
    if (!values.json) process.stdout.write(`${format(figure)}\n`);
  }
}
if (values.json) process.stdout.write(`${JSON.stringify({ node: process.version, figures }, null, 2)}\n`);
process.exit(0);

/** As they come, or all at the end. */
async function* figuresOf(bench: Bench): AsyncGenerator<Figure> {
  yield* await bench();
}

function format({ what, value, unit, how }: Figure): string {
  const digits = value >= 100 ? 0 : 2;
  return `${what.padEnd(44)} ${value.toFixed(digits).padStart(10)} ${unit.padEnd(8)} ${how}`;
}
