/** What people read about a death, whoever made its verdict: one line of what happened, and what to do about it. */
import { aboutBytes } from '@spillway/kernel';
import type { DeathCause } from './nanny.js';

/** What a worker ends with that cannot reach the scheduler (`EXIT_CODES.lost` of the worker's program). */
const EXIT_CODE_OF_LOST = 3;
const MEMORY_PAGE = 'docs/memory-management.md';

export const summaryOf = (workerName: string, cause: DeathCause, livedMs: number): string =>
  `Worker ${workerName} ${describe(cause)} after ${livedMs} ms.`;

function describe(cause: DeathCause): string {
  switch (cause.kind) {
    case 'closed':
      return 'closed in order';
    case 'exit-code':
      return cause.code === EXIT_CODE_OF_LOST
        ? `closed because it could not reach the scheduler (exit code ${cause.code}),`
        : `ended with exit code ${cause.code}`;
    case 'signal':
      return `was ended by ${cause.signal} from outside`;
    case 'heap-exhausted':
      return 'ran out of V8 heap and aborted';
    case 'memory-limit':
      return (
        `was ended by its nanny at ${aboutBytes(cause.processBytes)} of process memory, above terminate ` +
        `(${aboutBytes(cause.terminateBytes)} of a limit of ${aboutBytes(cause.limitBytes)}),`
      );
    case 'hung':
      return `gave its nanny no sign of life for ${cause.silentMs} ms although its process was there, and was ended`;
    case 'kernel-oom':
      return 'was ended by the kernel, which had no memory left for its control group or machine,';
    case 'recycled':
      return `was replaced (${cause.reason})`;
    case 'start-failed':
      return `could not be started (${cause.message})`;
    case 'host-lost':
      return 'and its nanny were lost together, with their host or the way to it,';
    case 'unreachable':
      return 'could not be reached any more, and its nanny, which can, knows of no death,';
    case 'unwatched':
      return 'was lost, and had no nanny that could say why,';
    case 'replaced':
      return `was taken for dead because ${cause.by} registered under its name`;
  }
}

/** What to do about it; empty where there is nothing to do. */
export function nextStepOf(cause: DeathCause): string {
  switch (cause.kind) {
    case 'memory-limit':
      return (
        'Split the task that grew into smaller ones, give workers a larger --memory-limit, or fewer threads each; ' +
        `see ${MEMORY_PAGE}.`
      );
    case 'heap-exhausted':
      return 'Keep large data in typed arrays or Buffers, which are not part of the V8 heap, or give workers a larger --memory-limit.';
    case 'hung':
      return (
        'Its control loop stood still: the process was stopped (SIGSTOP, a debugger), the machine swaps, or code of a ' +
        'container of yours (worker.data) did not return. If it takes that long by right, raise nanny.worker-ttl.'
      );
    case 'kernel-oom':
      return (
        "Processes beside the workers use memory that counts as the workers', or the limit is above that of the container: " +
        "lower --memory-limit, or raise the container's."
      );
    case 'signal':
      return 'Find out who sent the signal: an operator, the container runtime, or the kernel (its log says "Out of memory").';
    case 'exit-code':
      if (cause.code === EXIT_CODE_OF_LOST)
        return 'Look whether the scheduler runs, and at the network between it and the host of the worker.';
      return 'Look at the last lines of its stderr: native code or a task ended the whole process.';
    case 'start-failed':
      return 'Look at the installation and the settings of the nanny: the program of the worker cannot run.';
    case 'host-lost':
      return 'Look whether its host or container, or the network to it, is down, and who ended its nanny.';
    case 'unreachable':
      return (
        'Its process may live: it hangs, and its nanny ends it after nanny.worker-ttl, or the network between it and the ' +
        "scheduler is cut. Look at its nanny's log."
      );
    case 'unwatched':
      return 'Start workers by a nanny (spillway nanny), which says why they end, or look at the log of this one and of its host.';
    case 'replaced':
      return 'Give each worker, and each nanny, a name of its own.';
    case 'closed':
    case 'recycled':
      return '';
  }
}
