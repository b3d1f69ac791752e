/**
 * Draining: when tasks are ready and every worker that may run them is paused for its memory, waiting alone may never help.
 * Then one task at a time, in the whole cluster, is run although its worker is paused: one whose end frees more there than
 * its result takes. It ends when a worker resumes. Where nothing can be drained, `memory-stuck.ts` keeps the time.
 *
 * Whether an input lies in RAM or on disk is not known here: freeing what is on disk frees no RAM, and does no harm.
 */
import { areAllPaused, executingCount, hasBlocked, isAnythingExecuting, isBlocked } from './blocked.js';
import type { Core } from './core.js';
import { fits } from './fitting.js';
import { holdsReplica } from './replicas.js';
import { mayRunOn } from './restrictions.js';
import { assign, replan, settleAll } from './settling.js';
import { smallValues } from './small-set.js';
import type { SchedulerTask } from './task.js';
import type { WorkerView } from './worker-view.js';

/** Tasks known to free memory that are compared: enough for a good one, without looking at all there are each time. */
const COMPARED_MAX = 64;

interface Candidate {
  readonly task: SchedulerTask;
  readonly worker: WorkerView;
  /** Bytes of inputs that nobody needs after it. */
  readonly releasedBytes: number;
  /** What its result is expected to take; `undefined` while its function has never run. */
  readonly outputBytes: number | undefined;
}

/** Requires: everything else the event leads to is settled. */
export function drain(core: Core): void {
  if (!maySomethingBeBlocked(core)) {
    core.isDrainingTold = false;
    return;
  }
  if (!core.mayDrain || isDraining(core)) return;
  core.mayDrain = false;
  const best = bestCandidate(core);
  if (best === undefined) return;
  tell(core, best);
  // Its state says that none of its workers is running, which is not what a run may start from.
  if (best.task.state.name === 'no-worker') replan(core, best.task);
  assign(core, best.task, best.worker, { isDraining: true });
  core.draining = best.task;
  settleAll(core);
}

/** Beside other work, restricted tasks may wait for their worker to resume or to be replaced. */
function maySomethingBeBlocked(core: Core): boolean {
  if (core.roster.paused.size === 0) return false;
  return (areAllPaused(core) || !isAnythingExecuting(core)) && hasBlocked(core);
}

function isDraining({ draining }: Core): boolean {
  return draining?.state.name === 'processing' && draining.state.isDraining === true;
}

/** Of those whose results are known to be smaller than what they release the one that frees most, else an unknown one. */
function bestCandidate(core: Core): Candidate | undefined {
  let best: Candidate | undefined;
  let comparedCount = 0;
  for (const worker of core.roster.paused) {
    if (worker.refusesDraining || executingCount(worker) >= worker.nthreads) continue;
    for (const held of worker.hasWhat) {
      for (const task of smallValues(held.dependents)) {
        // All inputs have to lie here, so each task is met at its first.
        if (task.dependencies[0] !== held || !isBlocked(core, task)) continue;
        if (!mayRunOn(task, worker) || !fits(task, worker)) continue;
        const candidate = asCandidate(task, worker);
        if (candidate === undefined) continue;
        if (best === undefined || freesMore(candidate, best)) best = candidate;
        if (candidate.outputBytes === undefined) continue;
        comparedCount += 1;
        if (comparedCount === COMPARED_MAX) return best;
      }
    }
  }
  return best;
}

/** Undefined unless all inputs lie on the worker and its end is expected, or may be hoped, to free memory there. */
function asCandidate(task: SchedulerTask, worker: WorkerView): Candidate | undefined {
  let releasedBytes = 0;
  for (const input of task.dependencies) {
    if (input.state.name !== 'memory' || !holdsReplica(input, worker)) return undefined;
    if (input.waiterCount === 1 && input.wantedBy === undefined) releasedBytes += input.state.nbytes;
  }
  const outputBytes = task.learned?.cost.meanOutputBytes;
  return (outputBytes ?? 0) < releasedBytes ? { task, worker, releasedBytes, outputBytes } : undefined;
}

function freesMore(a: Candidate, b: Candidate): boolean {
  if ((a.outputBytes === undefined) !== (b.outputBytes === undefined)) return a.outputBytes !== undefined;
  return a.releasedBytes - (a.outputBytes ?? 0) > b.releasedBytes - (b.outputBytes ?? 0);
}

/** Once, until workers resume or nothing is blocked any more. */
function tell(core: Core, { task, worker, releasedBytes, outputBytes }: Candidate): void {
  if (core.isDrainingTold) return;
  core.isDrainingTold = true;
  core.outbox.log(
    'cluster.draining',
    {
      pausedWorkers: core.roster.paused.size,
      queued: core.table.counts.queued,
      workerId: worker.id,
      key: task.key,
      releasedBytes,
      ...(outputBytes === undefined ? {} : { expectedOutputBytes: Math.round(outputBytes) }),
    },
    [task.key],
  );
}
