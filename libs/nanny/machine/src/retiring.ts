/** Workers that are asked to retire: because the nanny stops, or because another is to take their place. */
import type { StimulusId } from '@spillway/kernel';
import type { NannyInstruction } from './instructions.js';
import type { Life, Slot, SlotState } from './slot.js';

interface RetireRequest {
  readonly reason: string;
  readonly stimulusId: StimulusId;
  readonly retireMs: number;
  /** Another worker is to take its place, and with `adopts` takes over what it has. */
  readonly isRestart: boolean;
  readonly adopts: boolean;
}

/** Workers that can be asked to close. */
export const CLOSEABLE: ReadonlySet<SlotState['name']> = new Set(['starting', 'running', 'retiring']);
/** The scheduler lets a worker go when its time is over; one that does not hear it in time is asked to close. */
const RETIRE_SLACK_MS = 500;

export function askToRetire(
  slot: Slot,
  life: Life,
  { reason, stimulusId, retireMs, isRestart, adopts }: RetireRequest,
  nowMs: number,
): NannyInstruction {
  const closeAtMs = nowMs + retireMs + RETIRE_SLACK_MS;
  slot.state = { name: 'retiring', life, closeAtMs, reason, isRestart };
  return {
    type: 'ask-worker-to-retire',
    stimulusId,
    slot: slot.index,
    workerId: life.workerId,
    reason,
    deadlineMs: retireMs,
    leavesAll: isRestart && adopts,
  };
}
