/** One execution on its way through a slot, and the outcomes it can have that its thread did not report itself. */
import { aboutBytes } from '@spillway/kernel';
import type { RemoteError } from '@spillway/messages';
import { functionNameOf } from '@spillway/messages';
import type { Execution, ExecutionOutcome, StopReason } from '@spillway/ports';
import { boundedText } from './error-text.js';

export interface RunEntry {
  readonly execution: Execution;
  /** Its number in the thread it was given to; undefined while it waits on the main side. */
  seq: number | undefined;
  /** Set once it is asked to stop; from then on a failure of it counts as stopped. */
  stopReason: StopReason | undefined;
  /** Invariant: its outcome is reported exactly when this becomes true. */
  isSettled: boolean;
}

export const makeEntry = (execution: Execution): RunEntry => ({
  execution,
  seq: undefined,
  stopReason: undefined,
  isSettled: false,
});

const identityOf = ({ slot, key, runId }: Execution): Pick<Execution, 'slot' | 'key' | 'runId'> => ({
  slot,
  key,
  runId,
});

export const stoppedOutcome = (
  { execution }: RunEntry,
  reason: StopReason | 'thread-ended',
  started: boolean,
): ExecutionOutcome => ({ type: 'execute-stopped', ...identityOf(execution), reason, started });

export const failureOutcome = (
  { execution }: RunEntry,
  error: RemoteError,
  mayRetry: boolean,
): ExecutionOutcome => ({ type: 'execute-failure', ...identityOf(execution), error, mayRetry });

/** How a thread ended by itself, with a run started in it or not. */
export type ThreadEnding =
  | { readonly type: 'exited'; readonly code: number }
  | { readonly type: 'out-of-memory'; readonly heapMaxBytes: number | false }
  | { readonly type: 'crashed'; readonly error: RemoteError; readonly raisedBy: string | undefined };

/** The outcome of the run that was under way when its thread ended by itself. */
export function endingOutcome(entry: RunEntry, ending: ThreadEnding): ExecutionOutcome {
  const { execution } = entry;
  const name = `Task ${execution.key} (${functionNameOf(execution.function)})`;
  const details = { key: execution.key, function: functionNameOf(execution.function) };
  switch (ending.type) {
    case 'exited': {
      const message = `${name} called process.exit(${ending.code}), which ended its thread. Return a value or throw instead.`;
      const error = { code: 'TASK_EXITED', message, details: { ...details, exitCode: String(ending.code) } };
      return failureOutcome(entry, error, false);
    }
    case 'out-of-memory':
      return failureOutcome(entry, outOfMemoryError(name, details, ending.heapMaxBytes), false);
    case 'crashed': {
      const { raisedBy, error } = ending;
      const origin =
        raisedBy === undefined || raisedBy === execution.key
          ? ''
          : ` (raised by what task ${raisedBy} left behind)`;
      const message = boundedText(`${name} failed, its thread ended${origin}: ${error.message}`);
      return failureOutcome(entry, { ...error, message, details: { ...error.details, ...details } }, true);
    }
  }
}

function outOfMemoryError(
  name: string,
  details: RemoteError['details'],
  heapMaxBytes: number | false,
): RemoteError {
  const limit = heapMaxBytes === false ? 'the default of Node' : aboutBytes(heapMaxBytes);
  return {
    code: 'TASK_OUT_OF_MEMORY',
    message: `${name} filled the heap of its thread (limit: ${limit}) and was ended; the worker lives on. Work in smaller parts, or keep large data in typed arrays, which are outside of the heap.`,
    details: { ...details, ...(heapMaxBytes === false ? {} : { heapMaxBytes: String(heapMaxBytes) }) },
  };
}
