import { parseArgs } from 'node:util';
import { runChaos } from './run-chaos.js';

const USAGE = `Usage: npm run chaos -- [options]

Starts a cluster of real processes (a scheduler, three nannies, five workers of 256 MiB), runs graphs whose answers it knows, and
meanwhile kills, stops, fills and cuts what it can. Says first what it will do, then what happened. Ends with 0 only if no result was
wrong, lost or late for ever, no worker was above its limit, every death was explained, and nothing was left behind.

  --minutes N        how long, default 1
  --seed N           of the plan and of the workload, default 1: the same seed, the same plan
  --stall N          seconds without a single right value, or for one graph after all is mended, after which it hangs, default 120
  --kill-scheduler   kill the scheduler too
  --log FILE         write there what all programs log
  --json             print one JSON document at the end, and the lines to stderr
  --help             print this text
`;

function positive(name: string, written: string): number {
  const value = Number(written);
  if (Number.isFinite(value) && value > 0) return value;
  return refuse(`--${name} takes a number above 0, not ${written}`);
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n\n${USAGE}`);
  process.exit(2);
}

function flags() {
  try {
    return parseArgs({
      options: {
        minutes: { type: 'string', default: '1' },
        seed: { type: 'string', default: '1' },
        stall: { type: 'string', default: '120' },
        'kill-scheduler': { type: 'boolean', default: false },
        log: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

const values = flags();
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const passed = await runChaos({
  minutes: positive('minutes', values.minutes),
  seed: positive('seed', values.seed),
  stallMs: positive('stall', values.stall) * 1000,
  killsScheduler: values['kill-scheduler'],
  logPath: values.log,
  json: values.json,
});
process.exit(passed ? 0 : 1);
