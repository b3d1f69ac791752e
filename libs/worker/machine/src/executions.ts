/**
 * Runs in threads: which start where, and what follows from each outcome. An outcome that belongs to no attempt we know is
 * late: it answers nothing, and a result it left in the store is freed.
 */
import type { RemoteError } from '@spillway/messages';
import {
  answerErred,
  answerFinished,
  handBack,
  outOfMemoryError,
  threadEndedError,
  timeoutError,
} from './answers.js';
import { enqueue } from './assignments.js';
import type { MachineContext } from './context.js';
import type { WorkerOutcome } from './events.js';
import { release, settle } from './release.js';
import { stopAttempt } from './stop-attempt.js';
import { attemptOf, isNeeded, runIdOf, type Attempt, type WorkerTask } from './task.js';

type ExecuteOutcome = Extract<
  WorkerOutcome,
  { type: 'execute-success' | 'execute-failure' | 'execute-stopped' }
>;

/** Hands ready runs to slots, best priority first, until the best one has to wait. */
export function startReadyTasks(context: MachineContext): void {
  const { ready, slots, nowMs } = context;
  for (let run = ready.peek(); run !== undefined && context.admits(run); run = ready.peek()) {
    const slot = slots.choose(run, nowMs);
    if (slot === undefined) return;
    ready.pop();
    context.move(run.task, { name: 'executing', attempt: slots.give(slot, run, nowMs) });
  }
}

export function onExecuteOutcome(context: MachineContext, outcome: ExecuteOutcome): void {
  const task = context.tasks.get(outcome.key);
  const attempt = task === undefined ? undefined : attemptOf(task);
  const isKnown = attempt !== undefined && runIdOf(attempt.run) === outcome.runId;
  if (isKnown) context.slots.remove(attempt, context.nowMs);
  if (task?.state.name === 'executing' && isKnown) {
    endWanted(context, task, attempt, outcome);
    return;
  }
  if (outcome.type === 'execute-success' && task?.state.name !== 'memory') context.free(outcome.key);
  if (task !== undefined && isKnown) endLingering(context, task);
}

function endLingering(context: MachineContext, task: WorkerTask): void {
  task.lingering = undefined;
  if (task.state.name === 'ready') context.ready.push(task.state.run, context.tasks.in('ready'));
  else settle(context, task);
}

function endWanted(
  context: MachineContext,
  task: WorkerTask,
  attempt: Attempt,
  outcome: ExecuteOutcome,
): void {
  switch (outcome.type) {
    case 'execute-success':
      answerFinished(context, attempt.run, outcome);
      context.move(task, { name: 'memory', nbytes: outcome.nbytes });
      return;
    case 'execute-failure':
      err(context, attempt, outcome);
      return;
    case 'execute-stopped':
      endStopped(context, attempt, outcome);
      return;
  }
}

function endStopped(
  context: MachineContext,
  attempt: Attempt,
  { reason, started }: Extract<ExecuteOutcome, { type: 'execute-stopped' }>,
): void {
  switch (reason) {
    case 'timeout':
      err(context, attempt, { error: timeoutError(attempt, context.nowMs), mayRetry: true });
      return;
    case 'out-of-memory':
      err(context, attempt, { error: outOfMemoryError(attempt), mayRetry: false });
      return;
    case 'thread-ended':
      if (started) err(context, attempt, { error: threadEndedError(attempt), mayRetry: true });
      else enqueue(context, attempt.run, { isHolderListFresh: false });
      return;
    case 'inputs-lost':
      handBackStopped(context, attempt, 'An input was lost on this worker before it began');
      return;
    case 'cancelled':
      // Nobody here asked for it, so somebody still waits for an answer.
      handBackStopped(context, attempt, 'Its execution was stopped');
      return;
  }
}

function handBackStopped(context: MachineContext, attempt: Attempt, why: string): void {
  const { run } = attempt;
  // The attempt has ended: on the way out of `executing` there is nothing left to stop.
  context.move(run.task, { name: 'ready', run });
  handBack(context, run.task, run, why);
}

/** Ends a run in an error. A value that others here need is looked for elsewhere. */
export function err(
  context: MachineContext,
  attempt: Attempt,
  failure: { error: RemoteError; mayRetry: boolean },
): void {
  const { task } = attempt.run;
  answerErred(context, attempt.run, failure);
  context.move(task, { name: 'erred', code: failure.error.code });
  if (isNeeded(task)) release(context, task);
  const erred = context.tasks.in('erred');
  for (const oldest of erred) {
    if (erred.size <= context.options.erredTasksMax) return;
    release(context, oldest);
  }
}

/** Stops heads that have run out of time. */
export function stopOverdue(context: MachineContext): void {
  for (const { head, deadlineMs } of context.slots.all) {
    if (head === undefined || deadlineMs === undefined || deadlineMs > context.nowMs) continue;
    stopAttempt(context, head, { reason: 'timeout' });
  }
}

/** The process nears its end by memory: the task that most likely grows is ended first. */
export function onRunawayGrowth(
  context: MachineContext,
  event: Extract<WorkerOutcome, { type: 'runaway-growth' }>,
): void {
  const head = context.slots.all[event.slot]?.head;
  if (head === undefined) return;
  const { processBytes, limitBytes } = event;
  stopAttempt(context, head, { reason: 'out-of-memory', processBytes, limitBytes });
}
