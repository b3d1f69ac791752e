import type { Payload } from '@spillway/messages';
import type { SimClient, Known } from '../sim-client.js';
import { digestIn, digestOf } from '../sim-value.js';
import type { SimWorld } from '../sim-world.js';
import { expectedOf, type Expected } from '../workload.js';

/** Ends that trouble may bring a task to that would have succeeded without it. */
const TROUBLE_CODES = new Set([
  'KILLED_WORKER',
  'TASK_OUT_OF_MEMORY',
  'CLUSTER_MEMORY_STUCK',
  'DEPENDENCY_FAILED',
  'LOST_DATA',
]);

/** Every key a client still wants is in memory with the right value, or erred for a reason that can be, or cancelled. */
export function checkOutcomes(world: SimWorld, clients: readonly SimClient[]): void {
  for (const client of clients) {
    if (client.refusals.length > 0)
      throw new Error(`A sound graph was refused: ${client.refusals[0]?.message ?? ''}`);
    const expected = expectedOf(client.graphs);
    for (const key of client.scattered) expected.set(key, { outcome: 'memory', digest: digestOf(key, []) });
    for (const [key, known] of client.wanted) checkOne(world, key, known, expected.get(key)!);
  }
}

function checkOne(world: SimWorld, key: string, known: Known, expected: Expected): void {
  if (known.state === 'cancelled') return;
  if (known.state === 'erred') {
    if (expected.outcome === 'erred' || TROUBLE_CODES.has(known.error.code)) return;
    throw new Error(
      `${key} erred with ${known.error.code} (${known.error.message}) though it should succeed.`,
    );
  }
  if (known.state !== 'memory') throw new Error(`${key} is ${known.state} though everything has settled.`);
  if (expected.outcome === 'erred') throw new Error(`${key} has a result though it should err.`);
  const payload = known.inline ?? fetchFrom(world, key, known);
  const digest = digestIn(payload);
  if (digest !== expected.digest)
    throw new Error(`${key} has a wrong value: ${digest}, not ${expected.digest}.`);
}

function fetchFrom(world: SimWorld, key: string, known: Extract<Known, { state: 'memory' }>): Payload {
  const [info] = world.scheduler.describeKeys([key as never]);
  for (const { workerId } of info?.whoHas ?? []) {
    const payload = world.workers.get(workerId)?.valueOf(key as never);
    if (payload !== undefined) return payload;
  }
  throw new Error(`${key} is said to be in memory, but none of ${known.holders.length} holders has it.`);
}
