import type { MachineContext } from './context.js';
import type { Attempt, Stopping } from './task.js';

/** Tells the thread to stop an attempt, once: what it was told first stays the reason. */
export function stopAttempt(context: MachineContext, attempt: Attempt, stopping: Stopping): void {
  if (attempt.stopping !== undefined) return;
  context.slots.markStopping(attempt, stopping);
  const { task, message } = attempt.run;
  context.instructions.push({
    type: 'stop-execution',
    stimulusId: context.stimulusId,
    slot: attempt.slot,
    key: task.key,
    runId: message.runId,
    reason: stopping.reason,
  });
}
