import type { Logger } from '@spillway/ports';
import type { SchedulerInstruction } from '@spillway/scheduler-machine';

export function logInstruction(
  logger: Logger,
  { event, stimulusId, fields, keys }: Extract<SchedulerInstruction, { type: 'log-event' }>,
): void {
  logger.info({ event, stimulusId, ...fields, keys }, event);
}
