import { parseArgs } from 'node:util';
import { tellMemoryPressure } from './memory-pressure.js';

const USAGE = `Usage: npm run example:memory-pressure -- [options]

Two workers of 256 MiB compute how weather stations go together, and on one of them a task leaves a leak behind: the worker spills,
pauses, is killed and replaced, while the computation goes on. Tells that line by line, and whether the answer is right.

  --stations <n>   how many, 12 by default, of 4 MiB each
  --leak <MiB/s>   how fast the leak grows, 20 by default
  --json           print one JSON document at the end, and the story to stderr
  --help           print this text
`;
const HOURS = 2 ** 19;

const flags = parseFlags();
if (flags.help) process.stdout.write(USAGE);
else await main(flags);

function parseFlags() {
  try {
    const { values } = parseArgs({
      options: {
        stations: { type: 'string', default: '12' },
        leak: { type: 'string', default: '20' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    return {
      ...values,
      stations: within('stations', values.stations, [2, 100]),
      leak: within('leak', values.leak, [1, 1000]),
    };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return process.exit(2);
  }
}

function within(name: string, written: string, [low, high]: readonly [number, number]): number {
  const value = Number(written);
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new RangeError(`--${name} takes a whole number from ${low} to ${high}, not ${written}.`);
}

async function main({
  stations,
  leak,
  json,
}: {
  stations: number;
  leak: number;
  json: boolean;
}): Promise<void> {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => abort.abort(new Error(`interrupted by ${name}`)));
  const out = json ? process.stderr : process.stdout;
  const outcome = await tellMemoryPressure({
    size: { stations, hours: HOURS },
    leakBytesPerSecond: leak * 2 ** 20,
    tell: (seconds, text) => void out.write(`${seconds.toFixed(1).padStart(6)} s  ${text}\n`),
    signal: abort.signal,
  });
  if (json) process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
  process.exitCode = outcome.isRight ? 0 : 1;
}
