/** One run from the plan to the summary. Whatever happens in between, everything it started is ended and removed. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type Client } from '@spillway/client';
import { ChaosCluster, LIMIT_MIB } from './chaos-cluster.js';
import type * as Tasks from './chaos.tasks.js';
import { Reasons } from './deaths.js';
import { clockText, describeAction, planOf, type Action } from './plan.js';
import { Performer } from './perform.js';
import { ChaosRecord } from './record.js';
import { renderSummary, summaryOf } from './report.js';
import { tellSchedulerState } from './scheduler-state.js';
import { SpillDisk } from './spill-disk.js';
import { Workload } from './workload.js';

export interface ChaosOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly stallMs: number;
  readonly killsScheduler: boolean;
  readonly logPath: string | undefined;
  readonly json: boolean;
}

const SCRIPT = join(import.meta.dirname, '../../apps/cli/bundle/spillway.mjs');
/** For readings of the last heartbeats to show that nothing is kept. */
const EMPTY_MS = 15_000;
const LOOK_MS = 250;

/** Says whether it passed. */
export async function runChaos(options: ChaosOptions): Promise<boolean> {
  const { seed, minutes, json } = options;
  const tell = (line: string): void => void (json ? process.stderr : process.stdout).write(`${line}\n`);
  if (!existsSync(SCRIPT))
    throw new Error('The programs are not built. Use `npm run chaos`, which builds them.');
  const plan = planOf(options);
  tell(`Plan for seed ${seed}, ${minutes} min, ${plan.length} actions:`);
  for (const action of plan) tell(`  ${clockText(action.atMs)} ${describeAction(action)}`);
  const record = new ChaosRecord(tell);
  await runPlan(plan, options, record);
  const summary = summaryOf(record, { seed, minutes, limitBytes: LIMIT_MIB * 2 ** 20 });
  if (json)
    process.stdout.write(`${JSON.stringify({ plan, ...summary, happened: record.happenings }, null, 1)}\n`);
  else tell(`\n${renderSummary(summary)}`);
  return summary.passed;
}

async function runPlan(plan: readonly Action[], options: ChaosOptions, record: ChaosRecord): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-chaos-'));
  const disk = new SpillDisk(folder);
  const reasons = new Reasons();
  const { seed, logPath } = options;
  const cluster = new ChaosCluster({ script: SCRIPT, seed, record, reasons, disk, logPath });
  const interruption = new AbortController();
  const interrupt = (name: NodeJS.Signals): void => interruption.abort(new Error(`interrupted by ${name}`));
  // The last resort, when something throws where nobody waits for it.
  const atExit = (): void => {
    cluster.killAll();
    disk.remove();
    rmSync(folder, { recursive: true, force: true });
  };
  process.on('exit', atExit).on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    record.say(`The workers spill to ${disk.description}.`);
    await work({ plan, options, record, reasons, disk, cluster, folder, interruption });
  } catch (error) {
    record.find('lost', `the run broke off: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    const processes = await cluster.close();
    for (const left of [...processes, ...disk.leftovers()]) record.find('left-behind', left);
    disk.remove();
    rmSync(folder, { recursive: true, force: true });
    process.off('exit', atExit).off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

interface Stage {
  readonly plan: readonly Action[];
  readonly options: ChaosOptions;
  readonly record: ChaosRecord;
  readonly reasons: Reasons;
  readonly disk: SpillDisk;
  readonly cluster: ChaosCluster;
  readonly folder: string;
  readonly interruption: AbortController;
}

async function work({ plan, options, interruption, ...stage }: Stage): Promise<void> {
  const { cluster, record, reasons, folder } = stage;
  await cluster.start();
  await using client = await connect(cluster.address);
  const tasks = await client.load<typeof Tasks>(new URL('./chaos.tasks.ts', import.meta.url));
  record.say('The cluster is up; the workload begins.');
  const startedAtMs = record.nowMs();
  const { seed, stallMs, minutes } = options;
  record.begin();
  const untilMs = minutes * 60_000;
  const healAtMs = untilMs - Math.min(untilMs * 0.05, 10_000);
  const performer = new Performer({ ...stage, client, tasks, bombTimeoutMs: untilMs + stallMs });
  const workload = new Workload({
    client,
    tasks,
    seed,
    folder,
    stallMs,
    record,
    reasons,
    onHung: (waiting) => tellSchedulerState({ cluster, client, record }, waiting),
  });
  performer.begin(plan.map((action) => ({ ...action, atMs: action.atMs + startedAtMs })));
  try {
    await Promise.race([workload.over, elapsed(healAtMs, interruption.signal)]);
    record.say('Everything is mended; what runs comes to its end.');
    performer.heal();
    await Promise.race([workload.over, elapsed(untilMs - healAtMs, interruption.signal)]);
    workload.end();
    await Promise.race([performer.bombsOut(), workload.hung, aborted(interruption.signal)]);
    await Promise.race([workload.finish(), aborted(interruption.signal)]);
    if (record.findings.every(({ kind }) => kind !== 'hung')) await expectNothingKept(client, record);
  } finally {
    workload.abandon();
    performer.abandon();
    performer.heal();
  }
}

/** All futures are released: what workers still hold, by their own readings, is held for nobody. */
async function expectNothingKept(client: Client, record: ChaosRecord): Promise<void> {
  const untilMs = performance.now() + EMPTY_MS;
  let text: string;
  let isEmpty: boolean;
  do {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const keyCount = (await client.workers()).reduce((sum, worker) => sum + worker.keyCount, 0);
    const { managedBytes, spilledBytes } = (await client.memory()).total;
    text = `${keyCount} keys, ${managedBytes} bytes in RAM and ${spilledBytes} on disk`;
    isEmpty = keyCount + managedBytes + spilledBytes === 0;
  } while (!isEmpty && performance.now() < untilMs);
  record.say(`All is released: ${text}.`);
  if (!isEmpty) record.find('left-behind', `workers hold for nobody: ${text}`);
}

function elapsed(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
