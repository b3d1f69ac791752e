import type { StimulusId } from '@spillway/kernel';
import { INLINE_RESULT_BYTES_MAX } from '@spillway/messages';
import type { ExecutionOutcome } from '@spillway/ports';
import type { WorkerOutcome } from '@spillway/worker-machine';

/** What the executor reported, as the machine's event. Small results go along, so that clients need not fetch them. */
export function outcomeEvent(outcome: ExecutionOutcome, stimulusId: StimulusId): WorkerOutcome {
  const { key, runId } = outcome;
  switch (outcome.type) {
    case 'execute-success': {
      const nbytes = outcome.result.data.byteLength;
      const event = {
        type: 'execute-success',
        stimulusId,
        key,
        runId,
        nbytes,
        durationMs: outcome.durationMs,
      } as const;
      return nbytes <= INLINE_RESULT_BYTES_MAX ? { ...event, inline: outcome.result } : event;
    }
    case 'execute-failure':
      return {
        type: 'execute-failure',
        stimulusId,
        key,
        runId,
        error: outcome.error,
        mayRetry: outcome.mayRetry,
      };
    case 'execute-stopped':
      return {
        type: 'execute-stopped',
        stimulusId,
        key,
        runId,
        reason: outcome.reason,
        started: outcome.started,
      };
  }
}
