/** What the workers say of their memory, and what that comes to for the cluster (founding document, "Using the dashboard"). */
import type { WorkerId } from '@spillway/kernel';
import type { MemoryReadings, WorkerInfo, WorkerStatus } from '@spillway/messages';

/**
 * How a worker does, as the colour of its bar: `blue` normal, `orange` it may be spilling, `red` it is paused or retires,
 * or is about to be ended for its memory. What is spilled is always grey, beside the bar.
 */
export type MemoryColour = 'blue' | 'orange' | 'red';

/** The readings are those of its last heartbeat. */
export interface WorkerMemory extends MemoryReadings {
  readonly workerId: WorkerId;
  readonly name: string;
  readonly status: WorkerStatus;
  readonly memoryLimitBytes: number | false;
  /** It spills or has done so lately, takes tasks one at a time, or is paused. */
  readonly isUnderPressure: boolean;
  readonly colour: MemoryColour;
}

/** Sums over the workers. Invariant: managed + unmanaged old + unmanaged recent is exactly process, as for each of them. */
export interface TotalMemory extends Omit<MemoryReadings, 'processPeakBytes' | 'spillRefusedBecause'> {
  /** `false` when a worker has no limit, or there is no worker. */
  readonly memoryLimitBytes: number | false;
  /** The worst of the workers. */
  readonly colour: MemoryColour;
}

export interface ClusterMemory {
  /** In order of registration. */
  readonly workers: readonly WorkerMemory[];
  readonly total: TotalMemory;
}

/** Where the nanny ends workers by default: their own thresholds are not known here. */
const TERMINATE_FRACTION = 0.95;

export function memoryOf(infos: readonly WorkerInfo[]): ClusterMemory {
  const workers = infos.map(
    ({ address: _, nthreads: __, processingCount: ___, keyCount: ____, ...memory }) => ({
      ...memory,
      colour: colourOf(memory),
    }),
  );
  return { workers, total: totalOf(workers) };
}

function colourOf(worker: Omit<WorkerMemory, 'colour'>): MemoryColour {
  const { status, processBytes, memoryLimitBytes, isUnderPressure } = worker;
  if (status !== 'running') return 'red';
  if (memoryLimitBytes !== false && processBytes >= memoryLimitBytes * TERMINATE_FRACTION) return 'red';
  return isUnderPressure ? 'orange' : 'blue';
}

const WORST_FIRST: readonly MemoryColour[] = ['red', 'orange', 'blue'];

function totalOf(workers: readonly WorkerMemory[]): TotalMemory {
  const sum = (of: (worker: WorkerMemory) => number): number =>
    workers.reduce((total, worker) => total + of(worker), 0);
  const isLimited = workers.length > 0 && workers.every(({ memoryLimitBytes }) => memoryLimitBytes !== false);
  return {
    processBytes: sum((worker) => worker.processBytes),
    managedBytes: sum((worker) => worker.managedBytes),
    unmanagedOldBytes: sum((worker) => worker.unmanagedOldBytes),
    unmanagedRecentBytes: sum((worker) => worker.unmanagedRecentBytes),
    hoardedBytes: sum((worker) => worker.hoardedBytes),
    spilledBytes: sum((worker) => worker.spilledBytes),
    spillWrittenBytes: sum((worker) => worker.spillWrittenBytes),
    spillReadBytes: sum((worker) => worker.spillReadBytes),
    memoryLimitBytes: isLimited ? sum((worker) => worker.memoryLimitBytes || 0) : false,
    colour: WORST_FIRST.find((colour) => workers.some((worker) => worker.colour === colour)) ?? 'blue',
  };
}
