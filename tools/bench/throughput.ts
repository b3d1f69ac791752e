import { repeat, type Client } from '@spillway/client';
import type { Figure } from './bench.js';
import { withCluster } from './cluster.js';
import { timedMs } from './statistics.js';

const TASK_COUNTS = [1_000, 10_000, 50_000];
const ROUNDS = 3;

/** Tasks that do nothing, in one graph with distinct keys: what the system itself costs. */
export function trivialTasks(): Promise<readonly Figure[]> {
  return withCluster(async (client) => {
    await round(client, 5_000);
    const figures: Figure[] = [];
    for (const count of TASK_COUNTS) {
      const rates: number[] = [];
      for (let i = 0; i < ROUNDS; i++) rates.push(count / ((await round(client, count)) / 1000));
      figures.push({
        what: `trivial tasks, ${count} in one graph`,
        value: Math.max(...rates),
        unit: 'tasks/s',
        how: `best of ${ROUNDS}, submit until all done (${rates.map((rate) => rate.toFixed(0)).join(', ')})`,
      });
    }
    return figures;
  });
}

async function round(client: Client, count: number): Promise<number> {
  const inputs = Array.from({ length: count }, (_, i) => i);
  const tookMs = await timedMs(async () => {
    const futures = client.map((x: number, one: number) => x + one, inputs, repeat(1));
    await client.wait(futures);
    client.release(futures);
  });
  return tookMs;
}
