/**
 * Where a task should run: the worker on which it can be expected to start earliest, as a function of what the views
 * say now. Who goes first when there is not room for all is in `queueing.ts`.
 */
import { smallHas, smallValues } from './small-set.js';
import type { SchedulerTask } from './task.js';
import type { WorkerView } from './worker-view.js';

/** What placement must know about the cluster. */
export interface PlacementPolicy {
  readonly bandwidthBytesPerSecond: number;
}

/** Paid once by a task that must fetch anything at all. */
const TRANSFER_LATENCY_MS = 1;
/** Inputs looked at, and holders of each: enough to find the best place, and the same cost for a task of 100,000 inputs. */
const INPUTS_LOOKED_AT_MAX = 64;
const HOLDERS_LOOKED_AT_MAX = 8;

export interface Choice {
  readonly worker: WorkerView;
  /** It holds at least one of the inputs. */
  readonly atHome: boolean;
}

/**
 * The best of `candidates` and the holders of the task's inputs: earliest expected start, then not under memory pressure,
 * then most memory headroom, then fewest assigned, then longest registered. Holders outside `allowed` do not count.
 */
export function chooseWorker(
  task: SchedulerTask,
  candidates: readonly WorkerView[],
  allowed: readonly WorkerView[] | undefined,
  policy: PlacementPolicy,
): Choice | undefined {
  const inputs = weighInputs(task);
  const startMs = (worker: WorkerView): number =>
    worker.putsOff(task)
      ? Infinity
      : worker.slotWaitMs + transferMs(inputs.totalBytes - (inputs.heldBytes?.get(worker) ?? 0), policy);
  let best: WorkerView | undefined;
  let bestMs = Infinity;
  const consider = (worker: WorkerView): void => {
    if (worker.status !== 'running' || worker === best) return;
    const ms = startMs(worker);
    if (best !== undefined && (ms > bestMs || (ms === bestMs && compareWorkers(best, worker) < 0))) return;
    best = worker;
    bestMs = ms;
  };
  if (allowed === undefined && inputs.heldBytes !== undefined) {
    for (const worker of inputs.heldBytes.keys()) consider(worker);
  }
  for (const worker of candidates) consider(worker);
  return best === undefined ? undefined : { worker: best, atHome: inputs.heldBytes?.has(best) === true };
}

/** Whether fetching the inputs to an idle worker beats waiting for a slot at the task's home. */
export function startsEarlierOn(
  worker: WorkerView,
  task: SchedulerTask,
  home: WorkerView,
  policy: PlacementPolicy,
): boolean {
  const waitMs = home.slotWaitMs;
  return waitMs === Infinity || worker.slotWaitMs + transferMs(missingBytes(task, worker), policy) < waitMs;
}

/** Time to fetch so many bytes; nothing for nothing. */
export function transferMs(bytes: number, policy: PlacementPolicy): number {
  return bytes <= 0 ? 0 : TRANSFER_LATENCY_MS + (bytes / policy.bandwidthBytesPerSecond) * 1000;
}

/** Bytes of the task's inputs that the worker does not hold; an estimate for tasks of very many inputs. */
export function missingBytes(task: SchedulerTask, worker: WorkerView): number {
  const { dependencies } = task;
  const lookedAt = Math.min(dependencies.length, INPUTS_LOOKED_AT_MAX);
  let bytes = 0;
  for (let index = 0; index < lookedAt; index += 1) {
    const { state } = dependencies[index]!;
    if (state.name === 'memory' && !smallHas(state.whoHas, worker)) bytes += sizeOf(state.nbytes);
  }
  return lookedAt === 0 ? 0 : (bytes * dependencies.length) / lookedAt;
}

interface InputWeights {
  readonly totalBytes: number;
  /** Per holder. */
  readonly heldBytes: Map<WorkerView, number> | undefined;
}

const NO_INPUTS: InputWeights = { totalBytes: 0, heldBytes: undefined };

function weighInputs(task: SchedulerTask): InputWeights {
  const { dependencies } = task;
  if (dependencies.length === 0) return NO_INPUTS;
  const lookedAt = Math.min(dependencies.length, INPUTS_LOOKED_AT_MAX);
  // What is not looked at is taken to be spread like what is.
  const scale = dependencies.length / lookedAt;
  const heldBytes = new Map<WorkerView, number>();
  let totalBytes = 0;
  for (let index = 0; index < lookedAt; index += 1) {
    const { state } = dependencies[index]!;
    if (state.name !== 'memory') continue;
    const bytes = sizeOf(state.nbytes) * scale;
    totalBytes += bytes;
    let holdersLeft = HOLDERS_LOOKED_AT_MAX;
    for (const worker of smallValues(state.whoHas)) {
      heldBytes.set(worker, (heldBytes.get(worker) ?? 0) + bytes);
      holdersLeft -= 1;
      if (holdersLeft === 0) break;
    }
  }
  return { totalBytes, heldBytes };
}

/** Even an empty value takes a round trip to fetch. */
const sizeOf = (nbytes: number): number => Math.max(1, nbytes);

function compareWorkers(a: WorkerView, b: WorkerView): number {
  return (
    Number(a.isUnderPressure) - Number(b.isUnderPressure) ||
    b.headroomBytes - a.headroomBytes ||
    a.processing.size - b.processing.size ||
    a.order - b.order
  );
}
