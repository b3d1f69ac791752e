/** Enums that arrived. Unspecified and unknown values are refused. */
import type { Encoding, SchedulerTaskStateName, SpillFailureReason, WorkerStatus } from '@spillway/messages';
import {
  ENCODING_TO_WIRE,
  SPILL_REFUSAL_TO_WIRE,
  TASK_STATE_TO_WIRE,
  WORKER_STATUS_TO_WIRE,
} from '../to-wire/scalars.js';
import { invalid } from './checks.js';

const reverse = <Name extends string>(table: Readonly<Record<Name, number>>): ReadonlyMap<number, Name> =>
  new Map((Object.entries(table) as [Name, number][]).map(([name, value]) => [value, name]));

const ENCODING_OF = reverse<Encoding>(ENCODING_TO_WIRE);
const TASK_STATE_OF = reverse<SchedulerTaskStateName>(TASK_STATE_TO_WIRE);
const WORKER_STATUS_OF = reverse<WorkerStatus>(WORKER_STATUS_TO_WIRE);
const SPILL_REFUSAL_OF = reverse<SpillFailureReason | 'none'>(SPILL_REFUSAL_TO_WIRE);

function known<Name>(table: ReadonlyMap<number, Name>, value: number, field: string, what: string): Name {
  const name = table.get(value);
  if (name === undefined) throw invalid(field, `${value} is no known ${what}`);
  return name;
}

export const encoding = (value: number, field: string): Encoding =>
  known(ENCODING_OF, value, field, 'encoding');
export const taskState = (value: number, field: string): SchedulerTaskStateName =>
  known(TASK_STATE_OF, value, field, 'task state');
export const workerStatus = (value: number, field: string): WorkerStatus =>
  known(WORKER_STATUS_OF, value, field, 'worker status');
/** `undefined`: nothing is refused, which is what is not said too. */
export function spillRefusal(value: number, field: string): SpillFailureReason | undefined {
  const reason = known(SPILL_REFUSAL_OF, value, field, 'reason for refusing to spill');
  return reason === 'none' ? undefined : reason;
}
