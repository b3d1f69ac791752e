/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- the encoder of a message reads its properties and asks for no class */
/** What becomes of workers that retire, as it is written and read. */
import { asWorkerId } from '@spillway/kernel';
import type { RetirementReport } from '@spillway/messages';
import { spillway } from '@spillway/proto';
import { count, durationMs, invalid, text } from './from-wire/checks.js';
import { durationFromMs } from './to-wire/scalars.js';

const { RetirementOutcome } = spillway.v1;

const OUTCOMES = {
  retiring: RetirementOutcome.RETIREMENT_OUTCOME_RETIRING,
  retired: RetirementOutcome.RETIREMENT_OUTCOME_RETIRED,
  died: RetirementOutcome.RETIREMENT_OUTCOME_DIED,
} as const;

export const retirementReportToWire = ({
  forMs,
  outcome,
  ...report
}: RetirementReport): spillway.v1.RetirementReport => ({
  ...report,
  outcome: OUTCOMES[outcome],
  elapsed: durationFromMs(forMs),
});

export const retirementReport = (wire: spillway.v1.RetirementReport): RetirementReport => ({
  workerId: asWorkerId(text(wire.workerId, 'worker_id')),
  name: text(wire.name, 'name'),
  outcome: outcomeOf(wire),
  forMs: durationMs(wire.elapsed, 'elapsed'),
  copiedCount: count(wire.copiedCount, 'copied_count'),
  copiedBytes: count(wire.copiedBytes, 'copied_bytes'),
  remainingCount: count(wire.remainingCount, 'remaining_count'),
  remainingBytes: count(wire.remainingBytes, 'remaining_bytes'),
  runningCount: count(wire.runningCount, 'running_count'),
  takenBackCount: count(wire.takenBackCount, 'taken_back_count'),
  recomputedCount: count(wire.recomputedCount, 'recomputed_count'),
  leftCount: count(wire.leftCount, 'left_count'),
  lostCount: count(wire.lostCount, 'lost_count'),
});

function outcomeOf({ outcome }: spillway.v1.RetirementReport): RetirementReport['outcome'] {
  for (const name of ['retiring', 'retired', 'died'] as const) if (OUTCOMES[name] === outcome) return name;
  throw invalid('outcome', `${outcome} is not known`);
}
