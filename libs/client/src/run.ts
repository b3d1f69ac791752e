/** A function on workers at once, outside of scheduling. */
import type { WorkerId } from '@spillway/kernel';
import type { RemoteError, RunOutcome } from '@spillway/messages';
import { decodeValue } from '@spillway/values';
import type { ClusterConnection } from './cluster-connection.js';
import { encodeWithFutures } from './encode-with-futures.js';
import { refuseFuture } from './future.js';
import { rebuildError } from './remote-errors.js';
import type { CallableFunction } from './task-draft.js';

export interface WorkerRun {
  readonly callable: CallableFunction;
  readonly args: readonly unknown[];
  readonly timeoutMs: number | false;
  readonly workers: readonly string[];
}

/** The results by worker id. Rejects with the first failure; its details name the worker. */
export async function runOnWorkers(
  connection: ClusterConnection,
  { callable, args, timeoutMs, workers }: WorkerRun,
  signal: AbortSignal,
): Promise<Map<string, unknown>> {
  const payload = encodeWithFutures(args, refuseFuture('run'));
  await callable.ready;
  const request = { function: callable.ref, args: payload, timeoutMs };
  const outcomes = await connection.runOnWorkers(request, workers, { signal });
  return new Map(outcomes.map(({ workerId, outcome }) => [workerId, valueOf(workerId, outcome)]));
}

function valueOf(workerId: WorkerId, outcome: RunOutcome): unknown {
  if (outcome.type === 'run-success') return decodeValue(outcome.result);
  const error: RemoteError = { ...outcome.error, details: { workerId, ...outcome.error.details } };
  throw rebuildError(error);
}
