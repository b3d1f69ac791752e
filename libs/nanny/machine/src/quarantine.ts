/**
 * A slot whose workers die too often in too short a time gets no worker for a while: it would burn processor time, and tasks
 * with it. What is said of it, to the scheduler and in the log; when it comes to that is decided in restart-policy.ts.
 */
import type { StimulusId } from '@spillway/kernel';
import type { Quarantine, Verdict } from '@spillway/messages';
import type { NannyInstruction } from './instructions.js';
import type { Slot } from './slot.js';

interface TooManyDeaths {
  readonly deaths: number;
  readonly withinMs: number;
  /** Of the last one. */
  readonly verdict: Verdict;
}

interface Moment {
  readonly stimulusId: StimulusId;
  readonly nowMs: number;
  /** How long it lasts unless an operator ends it. */
  readonly releaseMs: number | false;
}

/** Puts the slot in quarantine. */
export function quarantine(
  slot: Slot,
  { deaths, withinMs, verdict }: TooManyDeaths,
  { stimulusId, nowMs, releaseMs }: Moment,
): NannyInstruction[] {
  const reason = `${deaths} deaths within ${withinMs} ms, the last one: ${verdict.summary}`;
  const releaseAtMs = releaseMs === false ? false : nowMs + releaseMs;
  slot.state = { name: 'quarantined', sinceMs: nowMs, releaseAtMs, reason };
  const until =
    releaseMs === false ? 'an operator releases it' : `${releaseMs} ms are over, or an operator releases it`;
  return [
    {
      type: 'send-to-scheduler',
      message: {
        type: 'worker-quarantined',
        stimulusId,
        quarantine: { workerName: slot.workerName, reason, forMs: 0, releaseInMs: releaseMs },
      },
    },
    {
      type: 'log-event',
      stimulusId,
      event: 'worker.quarantined',
      level: 'error',
      message: `worker ${slot.workerName} is not started again before ${until}: ${reason}`,
      fields: {
        worker: slot.workerName,
        deaths,
        withinMs,
        cause: verdict.cause.kind,
        releaseInMs: releaseMs,
      },
    },
  ];
}

export const released = (
  { workerName }: Slot,
  reason: string,
  stimulusId: StimulusId,
): NannyInstruction[] => [
  { type: 'send-to-scheduler', message: { type: 'worker-released', stimulusId, workerName, reason } },
  {
    type: 'log-event',
    stimulusId,
    event: 'worker.restarting',
    level: 'info',
    message: `worker ${workerName} is out of quarantine: ${reason}`,
    fields: { worker: workerName, reason },
  },
];

/** Those that there are, as a scheduler is told that has not heard of them. */
export const quarantinesOf = (slots: readonly Slot[], nowMs: number): Quarantine[] =>
  slots.flatMap(({ workerName, state }) =>
    state.name === 'quarantined'
      ? [
          {
            workerName,
            reason: state.reason,
            forMs: Math.round(nowMs - state.sinceMs),
            releaseInMs:
              state.releaseAtMs === false ? false : Math.max(0, Math.round(state.releaseAtMs - nowMs)),
          },
        ]
      : [],
  );
