/**
 * The verdict of the scheduler itself, for a worker that is lost and whose nanny says nothing of it: every death has one. It
 * knows less than a nanny: what heartbeats said, and who else is silent.
 */
import { nextStepOf, summaryOf, type DeathCause, type Verdict } from '@spillway/messages';
import type { Core } from './core.js';
import type { WorkerView } from './worker-view.js';

/** `replacedBy`: another has registered under its name. */
export function lossVerdict(core: Core, worker: WorkerView, replacedBy?: string): Verdict {
  const cause = causeOf(core, worker, replacedBy);
  const livedMs = Math.round(core.nowMs - worker.registeredAtMs);
  const { memoryLimitBytes: limitBytes, terminateFraction } = worker;
  return {
    workerId: worker.id,
    workerName: worker.name,
    cause,
    summary: summaryOf(worker.name, cause, livedMs),
    pid: worker.pid,
    livedMs,
    stderrTail: '',
    samples: worker.samples.map(({ atMs, processBytes }) => ({
      beforeEndMs: core.nowMs - atMs,
      processBytes,
    })),
    limitBytes,
    terminateBytes:
      limitBytes === false || terminateFraction === false
        ? false
        : Math.floor(limitBytes * terminateFraction),
    nextStep: nextStepOf(cause),
  };
}

function causeOf(core: Core, { nannyId }: WorkerView, replacedBy: string | undefined): DeathCause {
  // Its host is back before anybody was given up, and with it a worker of the same name.
  const isNannyGone = nannyId !== undefined && !core.nannies.isHeard(nannyId);
  if (isNannyGone) return { kind: 'host-lost' };
  if (replacedBy !== undefined) return { kind: 'replaced', by: replacedBy };
  return nannyId === undefined ? { kind: 'unwatched' } : { kind: 'unreachable' };
}
