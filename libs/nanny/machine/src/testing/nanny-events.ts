/** What specs of the nanny machine feed it with, and what they look at. */
import { asStimulusId, type WorkerId } from '@spillway/kernel';
import type { Verdict } from '@spillway/messages';
import type { NannyEvent } from '../events.js';
import type { NannyInstruction } from '../instructions.js';

export const stimulusId = asStimulusId('s');
export const start: NannyEvent = { type: 'start', stimulusId };
export const tick: NannyEvent = { type: 'tick', stimulusId };
export const stop: NannyEvent = { type: 'stop', stimulusId, reason: 'SIGTERM' };

export const exited = (
  workerId: WorkerId,
  how: Partial<Extract<NannyEvent, { type: 'worker-exited' }>> = {},
): NannyEvent => ({
  type: 'worker-exited',
  stimulusId,
  slot: 0,
  workerId,
  code: null,
  signal: 'SIGKILL',
  stderrTail: '',
  didKernelRunOut: false,
  ...how,
});

export const typesOf = (instructions: readonly NannyInstruction[]): string[] =>
  instructions.map(({ type }) => type).filter((type) => type !== 'log-event');

/** The first that the scheduler is told. */
export const verdictIn = (instructions: readonly NannyInstruction[]): Verdict | undefined =>
  instructions.flatMap((i) =>
    i.type === 'send-to-scheduler' && i.message.type === 'worker-exited' ? [i.message.verdict] : [],
  )[0];
