import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repeat, type Client, type Future } from '@spillway/client';
import { SeededRandom } from '@spillway/kernel';
import type { Figure } from './bench.js';
import type * as Tasks from './journal.tasks.js';
import { RestartableCluster } from './restartable.js';
import { median, timedMs } from './statistics.js';

const KILLS = 50;
const LAYERS = 100;
const WIDTH = 100;
const KNOWN_KEYS = 100_000;
const ROUNDS = 5;
const TASKS_URL = new URL('./journal.tasks.ts', import.meta.url);

/** What the scheduler's journal costs, and what it is good for. */
export async function* journaling(): AsyncGenerator<Figure> {
  yield* throughputWithAndWithout();
  yield* knownKeys();
  yield* kills();
}

async function* throughputWithAndWithout(): AsyncGenerator<Figure> {
  await using without = await RestartableCluster.start({ hasJournal: false });
  await using withJournal = await RestartableCluster.start({ hasJournal: true });
  await using plain = await without.connect();
  await using journaled = await withJournal.connect();
  const rates: [number[], number[]] = [[], []];
  for (const client of [plain, journaled]) await trivial(client, 5_000);
  // By turns, so that what else the machine does hits both.
  for (let round = 0; round < ROUNDS; round++) {
    rates[0].push(await trivial(plain, 20_000));
    rates[1].push(await trivial(journaled, 20_000));
  }
  const text = (list: readonly number[]): string => list.map((rate) => rate.toFixed(0)).join(', ');
  yield {
    what: 'trivial tasks with a journal, share of without',
    value: median(rates[1]) / median(rates[0]),
    unit: '×',
    how: `medians of ${ROUNDS} rounds of 20,000 by turns: without ${text(rates[0])}; with ${text(rates[1])} tasks/s`,
  };
}

async function trivial(client: Client, count: number): Promise<number> {
  const inputs = Array.from({ length: count }, (_, i) => i);
  const tookMs = await timedMs(async () => {
    const futures = client.map((x: number, one: number) => x + one, inputs, repeat(1));
    await client.wait(futures);
    client.release(futures);
  });
  return count / (tookMs / 1000);
}

async function* knownKeys(): AsyncGenerator<Figure> {
  await using cluster = await RestartableCluster.start({ hasJournal: true });
  await using client = await cluster.connect();
  const inputs = Array.from({ length: KNOWN_KEYS }, (_, i) => i);
  const futures = client.map((x: number) => x, inputs);
  await client.wait(futures);
  await cluster.kill();
  const ended = cluster.line('scheduler.recovery-ended');
  const recovered = cluster.line('scheduler.recovered');
  const startedAt = performance.now();
  await cluster.startScheduler();
  const readyMs = performance.now() - startedAt;
  const { tasks } = await recovered;
  const { lost } = await ended;
  const how = `start of the process to the workers' values known, ${String(lost)} of ${String(tasks)} lost; it served after ${readyMs.toFixed(0)} ms`;
  yield {
    what: `recovery of ${KNOWN_KEYS} known keys`,
    value: performance.now() - startedAt,
    unit: 'ms',
    how,
  };
}

async function* kills(): AsyncGenerator<Figure> {
  const random = new SeededRandom(1);
  const outcome = { graphs: 0, kills: 0, wrong: 0, twice: 0, tasks: 0 };
  while (outcome.kills < KILLS) {
    await using cluster = await RestartableCluster.start({ hasJournal: true });
    await using client = await cluster.connect();
    const path = join(cluster.folder, 'runs');
    const last = await submitLayers(client, path);
    const run = { isDone: false };
    const results = client.gather(last).finally(() => (run.isDone = true));
    for (let i = 0; i < 10 && !run.isDone; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50 + random.next() * 600));
      if (hasEnded(run)) break;
      await cluster.kill();
      await cluster.startScheduler();
      outcome.kills += 1;
    }
    const expected = expectedOf(LAYERS);
    outcome.wrong += (await results).filter((result) => result !== expected).length;
    outcome.twice += await runsTooMany(path);
    outcome.graphs += 1;
    outcome.tasks += LAYERS * WIDTH;
  }
  const how =
    `${outcome.kills} kill -9 at random moments of ${outcome.graphs} graphs of ${LAYERS * WIDTH} tasks: ` +
    `${outcome.wrong} wrong results, ${outcome.twice} of ${outcome.tasks} tasks run more than once`;
  yield { what: 'scheduler killed: tasks run again', value: outcome.twice, unit: 'tasks', how };
}

/** Asked again after a wait: it may have changed. */
const hasEnded = ({ isDone }: { readonly isDone: boolean }): boolean => isDone;

/** Each task takes two of the layer before. */
async function submitLayers(client: Client, path: string): Promise<Future<number>[]> {
  const { noted } = await client.load<typeof Tasks>(TASKS_URL);
  let last: Future<number>[] = [];
  for (let layer = 0; layer < LAYERS; layer++) {
    const before = last;
    last = Array.from({ length: WIDTH }, (_, index) =>
      client.submit(
        noted,
        path,
        layer * WIDTH + index,
        before.length === 0 ? [] : [before[index]!, before[(index + 1) % WIDTH]!],
      ),
    );
  }
  return last;
}

function expectedOf(layers: number): number {
  let value = 1;
  for (let layer = 1; layer < layers; layer++) value = (1 + 2 * value) % 1_000_003;
  return value;
}

async function runsTooMany(path: string): Promise<number> {
  const lines = (await readFile(path, 'utf8')).trim().split('\n');
  return lines.length - new Set(lines).size;
}
