/** The errors that the scheduler itself gives to tasks, each saying what happened, to what, and what now. */
import { aboutBytes } from '@spillway/kernel';
import { remoteError, type ExecutingTask, type RemoteError, type Verdict } from '@spillway/messages';
import type { Death, ErredState, SchedulerTask } from './task.js';

export function dataNotRecoverable(task: SchedulerTask): RemoteError {
  return remoteError(
    'LOST_DATA',
    `The data ${task.key} was scattered, its last copy is gone, and it has no recipe. Scatter it again.`,
    { key: task.key },
  );
}

export function sideEffectsDone(task: SchedulerTask): RemoteError {
  return remoteError(
    'LOST_DATA',
    `Task ${task.key} says recompute: false, and it has run or may have begun to, so its side effects may be done. ` +
      `Its result is lost and it is not run again. Retry it to run it again all the same.`,
    { key: task.key },
  );
}

export function scatteredNowhere(key: string): RemoteError {
  return remoteError(
    'LOST_DATA',
    `None of the workers that ${key} was put on is registered any more. Scatter it again.`,
    { key },
  );
}

export function killedWorker(task: SchedulerTask): RemoteError {
  const deaths = task.deaths ?? [];
  const last = deaths.at(-1);
  return remoteError(
    'KILLED_WORKER',
    `Task ${task.key} was executing on ${deaths.length} workers when each of them died, ` +
      `last on ${last?.workerName ?? 'an unknown worker'} (${last?.verdict.summary ?? 'no verdict'}). ` +
      `It is not tried again.${last === undefined || last.verdict.nextStep === '' ? '' : ` ${last.verdict.nextStep}`}`,
    {
      key: task.key,
      deaths: String(deaths.length),
      workers: deaths.map((death) => death.workerName).join(', '),
      workerIds: deaths.map((death) => death.workerId).join(', '),
      verdicts: deaths.map((death) => `${death.workerName}: ${death.verdict.summary}`).join('\n'),
      causes: deaths.map((death) => death.verdict.cause.kind).join(', '),
      ...(last === undefined ? {} : lastDeathOf(last)),
    },
  );
}

/** Of the last death, what a program acts on and what people look at. */
const lastDeathOf = ({ verdict, executing }: Death): Readonly<Record<string, string>> => ({
  cause: verdict.cause.kind,
  lastMemory: memoryOf(verdict),
  limit: bytesOrNone(verdict.limitBytes),
  terminate: bytesOrNone(verdict.terminateBytes),
  executing: executing.map(executingOf).join(', '),
  nextStep: verdict.nextStep,
});

const bytesOrNone = (bytes: number | false): string => (bytes === false ? 'none' : aboutBytes(bytes));

/** `load-7 for 812 ms (+412 MiB)`, as its worker's last heartbeat said. */
const executingOf = ({ key, forMs, peakBytes }: ExecutingTask): string =>
  `${key} for ${forMs.toFixed(0)} ms${peakBytes === undefined ? '' : ` (+${aboutBytes(peakBytes)})`}`;

/** `412 MiB 200 ms before, 497 MiB 12 ms before`, oldest first. */
const memoryOf = ({ samples }: Verdict): string =>
  samples
    .map(({ processBytes, beforeEndMs }) => `${aboutBytes(processBytes)} ${beforeEndMs.toFixed(0)} ms before`)
    .join(', ');

export function noValidWorker(task: SchedulerTask, timeoutMs: number): RemoteError {
  const names = task.spec?.workers ?? [];
  const needed = names.length === 0 ? 'No worker' : `None of the workers ${names.join(', ')}`;
  return remoteError(
    'NO_VALID_WORKER',
    `${needed} was there for task ${task.key} within ${timeoutMs} ms. Start one, or allow other workers, and retry.`,
    { key: task.key, workers: names.join(', ') },
  );
}

/** Errors that very many tasks share as they are: what depends on such a task has it too, and the log has it once. */
export const isShared = ({ code }: RemoteError): boolean =>
  code === 'DEPENDENCY_FAILED' || code === 'CLUSTER_MEMORY_STUCK';

/** What dependents of an erred task fail with. Made once per failure: theirs pass on the same object. */
export function dependencyFailed(task: SchedulerTask, state: ErredState): RemoteError {
  if (isShared(state.error)) return state.error;
  state.dependentsError ??= {
    ...remoteError(
      'DEPENDENCY_FAILED',
      `Not run, because ${task.key}, which it depends on, has erred: ${state.error.message}`,
      { key: task.key },
    ),
    cause: state.error,
  };
  return state.dependentsError;
}
