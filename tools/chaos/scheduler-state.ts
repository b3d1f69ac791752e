/** What the scheduler says when something hangs: asked past all proxies, by a client of its own. */
import { connect, type Client, type Future } from '@spillway/client';
import type { ChaosCluster } from './chaos-cluster.js';
import type { ChaosRecord } from './record.js';

const KEYS_SHOWN = 20;
const ASK_MS = 5_000;

export async function tellSchedulerState(
  { cluster, client, record }: { cluster: ChaosCluster; client: Client; record: ChaosRecord },
  waiting: readonly Future<unknown>[],
): Promise<void> {
  const bound = { timeout: ASK_MS };
  for (const { key, status } of waiting.slice(0, KEYS_SHOWN)) record.say(`  ${key}: ${status}`);
  try {
    await using own = await connect(cluster.directAddress, bound);
    for (const { name, workerId, status, processingCount, keyCount, isUnderPressure } of await own.workers(
      bound,
    ))
      record.say(
        `  worker ${name} (${workerId}): ${status}, ${processingCount} processing, ${keyCount} keys` +
          (isUnderPressure ? ', under pressure' : ''),
      );
    const holders = await client.whoHas(waiting.slice(0, KEYS_SHOWN), bound);
    for (const [key, names] of holders)
      record.say(`  ${key} is held by ${names.map(({ workerId }) => workerId).join(', ') || 'nobody'}`);
  } catch (error) {
    record.say(`  the scheduler does not answer: ${String(error)}`);
  }
  for (const line of cluster.lastLines) record.say(`  log: ${line.slice(0, 400)}`);
}
