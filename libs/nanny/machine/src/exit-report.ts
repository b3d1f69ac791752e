/** What is told of a worker process that has ended. */
import type { StimulusId } from '@spillway/kernel';
import type { Verdict } from '@spillway/messages';
import type { NannyInstruction } from './instructions.js';

interface WhatFollows {
  readonly restartInMs: number | false;
  readonly leavesValues: boolean;
  readonly stimulusId: StimulusId;
}

/** It was told to end, or said that it would. */
export const isOnPurpose = ({ cause }: Verdict): boolean =>
  cause.kind === 'closed' || cause.kind === 'recycled';

export function exitInstructions(
  verdict: Verdict,
  { restartInMs, leavesValues, stimulusId }: WhatFollows,
): NannyInstruction[] {
  const { workerId, workerName: worker, cause, summary } = verdict;
  return [
    {
      type: 'send-to-scheduler',
      message: { type: 'worker-exited', stimulusId, verdict, restartInMs, leavesValues },
    },
    {
      type: 'log-event',
      stimulusId,
      event: 'worker.exited',
      level: isOnPurpose(verdict) ? 'info' : 'warn',
      message: summary,
      fields: { worker, workerId, cause: cause.kind, restartInMs },
    },
  ];
}
