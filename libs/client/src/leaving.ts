/** Workers that are retired or restarted on request. */
import { InvalidArgumentError, type WorkerId } from '@spillway/kernel';
import type { RetirementReport, WorkerInfo } from '@spillway/messages';
import type { Timers } from '@spillway/ports';
import { toMs, type CallOptions, type Duration } from './call-options.js';
import type { ClusterConnection } from './cluster-connection.js';
import { pauseFor } from './transfers.js';

export interface RetireOptions extends CallOptions {
  /** How long the workers may take; then what they have not handed over is computed again, or lost. Default: the scheduler's setting. */
  readonly deadline?: Duration;
  /** For logs. */
  readonly reason?: string;
  /** How far they have come, each second. */
  readonly onProgress?: (reports: readonly RetirementReport[]) => void;
}

export interface RestartOptions extends CallOptions {
  /** One after the other: the next only when the former is there again. */
  readonly rolling?: boolean;
  /** For logs. */
  readonly reason?: string;
  /** A worker is there again. */
  readonly onRestarted?: (worker: WorkerInfo) => void;
}

/** How long until the workers are asked for again, while one of them is not back. */
const LOOK_AGAIN_MS = 50;

export function retireWorkers(
  connection: ClusterConnection,
  workers: readonly string[],
  { deadline, reason = 'a client asked for it', onProgress = () => undefined }: RetireOptions,
  signal: AbortSignal,
): Promise<readonly RetirementReport[]> {
  if (workers.length === 0)
    return Promise.reject(new InvalidArgumentError('Name the workers that shall retire, by name or id.'));
  const deadlineMs = deadline === undefined ? {} : { deadlineMs: toMs(deadline, 'deadline') };
  return connection.retireWorkers({ workers, reason, ...deadlineMs }, onProgress, { signal });
}

/** The workers as they are after it, in the order in which they were named, or registered. */
export async function restartWorkers(
  connection: ClusterConnection,
  names: readonly string[] | undefined,
  { rolling = false, reason = 'a client asked for it', onRestarted = () => undefined }: RestartOptions,
  { timers, signal }: { readonly timers: Timers; readonly signal: AbortSignal },
): Promise<readonly WorkerInfo[]> {
  const known = await connection.listWorkers({ signal });
  const chosen = names ?? known.map(({ workerId }) => workerId);
  if (chosen.length === 0) return [];
  const restart = async (some: readonly string[]): Promise<WorkerInfo[]> => {
    const ended = await connection.restartWorkers(some, reason, { signal });
    const back: WorkerInfo[] = [];
    for (const workerId of ended) {
      const name = known.find((worker) => worker.workerId === workerId)?.name ?? workerId;
      const worker = await untilBack(connection, { name, workerId }, timers, signal);
      onRestarted(worker);
      back.push(worker);
    }
    return back;
  };
  if (!rolling) return restart(chosen);
  const back: WorkerInfo[] = [];
  for (const one of chosen) back.push(...(await restart([one])));
  return back;
}

/** Until another worker of this name runs. */
async function untilBack(
  connection: ClusterConnection,
  ended: { readonly name: string; readonly workerId: WorkerId },
  timers: Timers,
  signal: AbortSignal,
): Promise<WorkerInfo> {
  for (;;) {
    const workers = await connection.listWorkers({ signal });
    const found = workers.find(({ name, workerId }) => name === ended.name && workerId !== ended.workerId);
    if (found !== undefined) return found;
    await pauseFor(timers, LOOK_AGAIN_MS, signal);
  }
}
